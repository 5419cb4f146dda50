import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Terminal } from '../../e2e/terminal.ts';
import { project } from './fields.ts';
import { normalize, type Particulars, withoutRemarks } from './normalize.ts';

/** One of the compared clusters. */
export interface Side {
  kubeconfig: string;
  /** The image that has node in it. */
  image: string;
  node: string;
}

/** The result of one step. */
export interface Note {
  step: string;
  seen: string;
}

/** How a step's result is compared. */
export interface Look {
  /** kubectl's input: a text, an object, or several. */
  input?: unknown;
  /** Compare these fields of the object, by dotted paths. */
  fields?: string[];
  /** Compare only the lines that match. */
  lines?: RegExp;
  /** Compare the lines without their order. */
  sorted?: true;
  /** Compare only the exit code and the error; a later step looks at the object. */
  silent?: true;
  /** Repeat until the result, after `loosely`, matches; a side that never matches differs. */
  until?: RegExp;
  /** End kubectl after this many ms, or when its output matches, and compare the output. */
  stop?: number | RegExp;
  /** Replaces what versions word differently. */
  loosely?: (seen: string) => string;
}

const KUBECTL = process.env.KUBECTL ?? 'kubectl';
/** kubectl is short-lived, and mostly starts up: without garbage collection it is faster. */
const ENVIRONMENT = { ...process.env, GOGC: 'off' };
const PATIENCE_MS = 60_000;

/** A scenario's run on one cluster: kubectl in a namespace of its own, and notes of its results. */
export class Trial {
  readonly notes: Note[] = [];
  readonly #side: Side;
  readonly #particulars: Particulars;

  constructor(side: Side, namespace: string) {
    this.#side = side;
    const directory = mkdtempSync(`${tmpdir()}/mittens-conformance-`);
    this.#particulars = { namespace, image: side.image, node: side.node, directory };
  }

  /** A directory on this machine, removed by end(). */
  get directory(): string {
    return this.#particulars.directory;
  }

  async begin(): Promise<void> {
    const metadata = { name: this.#particulars.namespace };
    await this.run(['create', '-f', '-'], { input: { apiVersion: 'v1', kind: 'Namespace', metadata } });
    // A new namespace accepts no pods until it has its ServiceAccount.
    for (let tries = 0; tries < 20; tries++) {
      if ((await this.run(['get', 'serviceaccount', 'default'])).code === 0) return;
      await sleep(250);
    }
  }

  async end(): Promise<void> {
    rmSync(this.directory, { recursive: true });
    await this.run(['delete', 'namespace', this.#particulars.namespace, '--wait=false']);
  }

  /** Runs a kubectl command line and notes its result. '…' quotes; $NS, $IMAGE, $NODE and $DIR are replaced. */
  async see(command: string, look: Look = {}): Promise<string> {
    const args = words(command).map((word) => this.#fill(word));
    if (look.fields) args.push('-o', 'json');
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const seen = this.#view(await this.run(args, look), look);
      if (!look.until || look.until.test(seen)) {
        this.note(`kubectl ${command}`, seen);
        return seen;
      }
      if (Date.now() > deadline) {
        // A timeout always counts as a difference: the note names the side.
        this.note(`kubectl ${command}`, `${seen}\n(${this.#side.kubeconfig} never came to ${look.until})`);
        return seen;
      }
      await sleep(700);
    }
  }

  /** Creates objects, and notes whether that worked. */
  async make(...objects: object[]): Promise<void> {
    const names = objects.map((object) => toName(object));
    const { code, stderr } = await this.run(['create', '-f', '-'], { input: objects });
    this.note(`create ${names.join(', ')}`, `exit ${code}\n${this.#normalize(withoutRemarks(stderr))}`);
  }

  /** Returns a kubectl command's output for a later step, without comparing it. */
  async read(command: string): Promise<string> {
    return (await this.run(words(command).map((word) => this.#fill(word)))).stdout;
  }

  /** Waits until a kubectl command's output matches, without comparing it. */
  async until(command: string, what: RegExp): Promise<void> {
    const args = words(command).map((word) => this.#fill(word));
    const deadline = Date.now() + PATIENCE_MS;
    let said = '';
    while (Date.now() < deadline) {
      said = (await this.run(args)).stdout;
      if (what.test(said)) return;
      await sleep(500);
    }
    this.note(`wait until kubectl ${command} says ${what}`, `it says ${this.#normalize(said)}`);
  }

  note(step: string, seen: string): void {
    this.notes.push({ step: this.#normalize(step), seen: this.#normalize(seen) });
  }

  /** Runs kubectl in a terminal, types keys, and notes the screen. */
  async terminal(command: string, typed: { keys: string[]; shows: RegExp }[], lines = /./): Promise<void> {
    const terminal = new Terminal();
    const args = words(command).map((word) => this.#fill(word));
    try {
      await terminal.start([KUBECTL, ...this.#flags(), ...args]);
      for (const { keys, shows } of typed) {
        await terminal.type(...keys);
        await terminal.shows(shows, 15);
      }
      const screen = (await terminal.screen()).split('\n').filter((line) => lines.test(line));
      this.note(`in a terminal: kubectl ${command}`, screen.join('\n'));
    } catch (error) {
      this.note(`in a terminal: kubectl ${command}`, String(error));
    } finally {
      await terminal.close();
    }
  }

  /** Runs kubectl, calls `during` when its output matches, then ends it. */
  async meanwhile(command: string, said: RegExp, during: (stdout: string) => Promise<void>): Promise<void> {
    const args = words(command).map((word) => this.#fill(word));
    const child = spawn(KUBECTL, [...this.#flags(), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    const deadline = Date.now() + 10_000;
    while (!said.test(stdout) && child.exitCode === null && Date.now() < deadline) await sleep(50);
    await during(stdout);
    child.kill();
    this.note(`kubectl ${command}`, `${stdout}${withoutRemarks(stderr)}`);
  }

  async run(
    args: string[],
    { input, stop }: Look = {},
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    return await new Promise((resolve) => {
      const child = spawn(KUBECTL, [...this.#flags(), ...args], { env: ENVIRONMENT });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (data) => {
        stdout += data;
        if (stop instanceof RegExp && stop.test(stdout)) child.kill();
      });
      child.stderr.on('data', (data) => {
        stderr += data;
      });
      child.stdin.on('error', () => {});
      child.stdin.end(input === undefined ? '' : this.#fill(serialize(input)));
      const timer = setTimeout(() => child.kill(), typeof stop === 'number' ? stop : 2 * PATIENCE_MS);
      child.on('close', (code) => {
        clearTimeout(timer);
        resolve({ code: code ?? -1, stdout, stderr });
      });
    });
  }

  #flags(): string[] {
    return [`--kubeconfig=${this.#side.kubeconfig}`, `--namespace=${this.#particulars.namespace}`];
  }

  #fill(text: string): string {
    const { namespace, image, node, directory } = this.#particulars;
    return text
      .replaceAll('$NS', namespace)
      .replaceAll('$IMAGE', image)
      .replaceAll('$NODE', node)
      .replaceAll('$DIR', directory);
  }

  #view(result: { code: number; stdout: string; stderr: string }, look: Look): string {
    const { code, stdout } = result;
    const stderr = withoutRemarks(result.stderr);
    const out = code === 0 && look.fields ? project(JSON.parse(stdout), look.fields) : stdout;
    const said = [...(look.silent ? [] : [out]), ...(look.stop === undefined || code > 0 ? [stderr] : [])];
    let lines = this.#normalize(said.join('\n')).split('\n').filter(Boolean);
    if (look.lines) lines = lines.filter((line) => look.lines?.test(line));
    if (look.sorted) lines.sort();
    // kubectl may or may not end by itself before it is stopped.
    const end = look.stop !== undefined && !stderr ? 'stopped' : `exit ${code}`;
    const seen = `${end}\n${lines.join('\n')}`;
    return look.loosely ? look.loosely(seen) : seen;
  }

  #normalize(text: string): string {
    return normalize(text, this.#particulars);
  }
}

function serialize(input: unknown): string {
  if (typeof input === 'string') return input;
  if (!Array.isArray(input)) return JSON.stringify(input);
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: input });
}

/** Splits a command line into words; '…' is one word. */
function words(command: string): string[] {
  return [...command.matchAll(/((?:[^\s']|'[^']*')+)/g)].map(([word]) => word.replaceAll("'", ''));
}

function toName(object: object): string {
  const { kind = '', metadata } = object as { kind?: string; metadata?: { name?: string } };
  return `${kind.toLowerCase()}/${metadata?.name}`;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
