import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** A real browser: $CHROME, or one on the PATH; undefined when there is none. */
export function findBrowser(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const files = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [process.env.CHROME, ...files].find((file) => file && isExecutable(file));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** An event of the DevTools protocol, https://chromedevtools.github.io/devtools-protocol. */
export interface Event {
  method: string;
  params: Record<string, unknown>;
}

/** A headless browser with one page, spoken to by the DevTools protocol. */
export class Browser {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  #session: string | undefined;
  #id = 0;
  /** What the page did since it was there: requests, console lines, exceptions, dialogs. */
  readonly events: Event[] = [];

  private constructor(process: ChildProcess, folder: string, socket: WebSocket) {
    this.#process = process;
    this.#folder = folder;
    this.#socket = socket;
    socket.on('message', (data) => this.#receive(JSON.parse(String(data))));
    socket.on('close', () => this.#fail(new Error('the browser has gone')));
  }

  static async launch(program: string): Promise<Browser> {
    const folder = mkdtempSync(join(tmpdir(), 'mittens-browser-'));
    const flags = ['--headless', '--remote-debugging-port=0', `--user-data-dir=${folder}`, '--no-first-run'];
    flags.push('--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking');
    // Chromium refuses its sandbox to root.
    if (process.getuid?.() === 0) flags.push('--no-sandbox');
    const child = spawn(program, [...flags, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] });
    const socket = new WebSocket(await addressOf(child), { maxPayload: 1 << 30 });
    await once(socket, 'open');
    const browser = new Browser(child, folder, socket);
    await browser.#open();
    return browser;
  }

  async #open(): Promise<void> {
    const { targetId } = await this.send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
    const options = { targetId, flatten: true };
    this.#session = (await this.send<{ sessionId: string }>('Target.attachToTarget', options)).sessionId;
    for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await this.send(`${domain}.enable`);
    await this.send('Page.setLifecycleEventsEnabled', { enabled: true });
  }

  /** @throws Error with the protocol's own words. */
  send<T = unknown>(method: string, params: object = {}): Promise<T> {
    const id = ++this.#id;
    this.#socket.send(JSON.stringify({ id, method, params, sessionId: this.#session }));
    return new Promise<T>((resolve, reject) => this.#answers.set(id, { resolve, reject }));
  }

  #receive(message: { id?: number; result?: unknown; error?: { message: string } } & Event): void {
    const answer = this.#answers.get(message.id ?? 0);
    if (message.id === undefined) {
      this.events.push(message);
      // A dialog halts the page until it is answered.
      if (message.method === 'Page.javascriptDialogOpening')
        this.send('Page.handleJavaScriptDialog', { accept: false }).catch(() => {});
    } else if (message.error) answer?.reject(new Error(message.error.message));
    else answer?.resolve(message.result as never);
    this.#answers.delete(message.id ?? 0);
  }

  #fail(error: Error): void {
    for (const { reject } of this.#answers.values()) reject(error);
    this.#answers.clear();
  }

  /** Opens a page, and waits until it has loaded. */
  async goto(url: string): Promise<void> {
    this.events.length = 0;
    const { loaderId } = await this.send<{ loaderId: string }>('Page.navigate', { url });
    // Of the page before, there may be events to come.
    const loaded = ({ method, params }: Event) =>
      method === 'Page.lifecycleEvent' && params.name === 'load' && params.loaderId === loaderId;
    while (!this.events.some(loaded)) await pause();
  }

  /** What an expression is in the page; what it throws is thrown. */
  async evaluate<T>(expression: string): Promise<T> {
    const options = { expression, returnByValue: true, awaitPromise: true, userGesture: true };
    const { result, exceptionDetails } = await this.send<{
      result: { value: T };
      exceptionDetails?: { exception?: { description?: string } };
    }>('Runtime.evaluate', options);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? expression);
    return result.value;
  }

  /** Waits until an expression is true in the page. */
  async until(expression: string): Promise<void> {
    while (!(await this.evaluate<boolean>(`Boolean(${expression})`))) await pause();
  }

  /** Presses keys one after another: a character, or a name such as `Enter`. */
  async press(...keys: string[]): Promise<void> {
    for (const key of keys) {
      const text = key.length === 1 ? { text: key } : key === 'Enter' ? { text: '\r' } : {};
      await this.send('Input.dispatchKeyEvent', { type: 'keyDown', key, code: key, ...CODES[key], ...text });
      await this.send('Input.dispatchKeyEvent', { type: 'keyUp', key, code: key, ...CODES[key] });
    }
  }

  async close(): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#socket.removeAllListeners('close');
    this.#session = undefined;
    this.send('Browser.close').catch(() => {});
    await exited;
    this.#socket.terminate();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Keys whose number the page's scrolling and editing go by. */
const CODES: Record<string, { windowsVirtualKeyCode: number } | undefined> = {
  Tab: { windowsVirtualKeyCode: 9 },
  Enter: { windowsVirtualKeyCode: 13 },
  Escape: { windowsVirtualKeyCode: 27 },
  ArrowUp: { windowsVirtualKeyCode: 38 },
  ArrowDown: { windowsVirtualKeyCode: 40 },
};

/** The address that the browser says it listens on. */
async function addressOf(child: ChildProcess): Promise<string> {
  if (!child.stderr) throw new Error('no stderr');
  let said = '';
  for await (const line of createInterface({ input: child.stderr })) {
    const address = /^DevTools listening on (ws:.*)$/.exec(line)?.[1];
    if (address) {
      child.stderr.resume();
      return address;
    }
    said += `${line}\n`;
  }
  throw new Error(`the browser did not start: ${said}`);
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 30));
}
