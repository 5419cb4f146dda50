import { after, afterEach, before } from 'node:test';
import { commandLine, mittens } from '../scripts.ts';
import { Namespace } from './namespace.ts';
import { Terminal } from './terminal.ts';
import { until } from './until.ts';

// What the tests of sessions share: a namespace with the Service web, and terminals, which are closed after each test.

export const shop = new Namespace();
export const inShop = ['-n', shop.name];
export const objects = ['service/web', 'deployment/web'];
/** What they are without a tap. */
export let original: object[];
let terminals: Terminal[] = [];

/** Has all of that made before a file's tests, and removed after them. */
export function useSessions(): void {
  before(async () => {
    await shop.create();
    await shop.app({ name: 'web' });
    await shop.service('web', [{ port: 80, targetPort: 8080 }]);
    // Nothing listens on its port, so that on waits.
    await shop.service('deaf', [{ port: 80, targetPort: 5 }], { selector: { app: 'web' } });
    original = await shop.snapshot(...objects);
  });
  afterEach(async () => {
    await mittens('off', 'web', ...inShop);
    for (const terminal of terminals) await terminal.close();
    terminals = [];
  });
  after(() => shop.delete());
}

/** Opens a terminal with a command for the Service web. */
export async function open(command: 'on' | 'attach', ...flags: string[]): Promise<Terminal> {
  return await openFor('web', command, ...flags);
}

/** Opens a terminal with a command for a Service. */
export async function openFor(
  service: string,
  command: 'on' | 'attach',
  ...flags: string[]
): Promise<Terminal> {
  const terminal = createTerminal();
  await terminal.start(commandLine(command, [service, ...inShop, ...flags]));
  return terminal;
}

/** A terminal in which nothing runs yet. */
export function createTerminal(): Terminal {
  const terminal = new Terminal();
  terminals.push(terminal);
  return terminal;
}

/** Sends requests until a terminal shows one: kube-proxy takes a moment to follow the Service. */
export async function showsRequest(terminal: Terminal, path: string): Promise<void> {
  await terminal.shows('Flows');
  await until(`${path} is shown`, async () => {
    await shop.request('web', path);
    return (await terminal.screen()).includes(path);
  });
}

/** The state of the tap of web, as list says it; undefined when there is none. */
export async function readState(): Promise<string | undefined> {
  return JSON.parse((await mittens('list', '-o', 'json', ...inShop)).stdout).items[0]?.state;
}
