import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execute } from '../execute.ts';
import { isPocket, kubectl } from './cluster.ts';
import { Terminal } from './terminal.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What a demo that was in this namespace has left: its namespace, and processes that name it. */
async function left(namespace: string): Promise<string[]> {
  const namespaces = (await kubectl(['get', 'namespaces', '-o', 'name'])).split('\n');
  const { stdout } = await execute('pgrep', ['-af', namespace]);
  return [...namespaces.filter((name) => name.endsWith(namespace)), ...stdout.split('\n').filter(Boolean)];
}

function namespaceIn(text: string): string {
  const [namespace] = /mittens-demo-[0-9a-f]+/.exec(text) ?? [];
  assert.ok(namespace, text);
  return namespace;
}

/** The demo's command line: on the cluster of these tests, or as a newcomer runs it, on one of its own. */
async function make(where: 'this cluster' | 'its own', ...args: string[]): Promise<string[]> {
  const context = (await kubectl(['config', 'current-context'])).trim();
  // The make that runs these tests hands its own variables on, CONTEXT among them.
  const make = ['env', '-u', 'MAKEFLAGS', '-u', 'MAKEOVERRIDES', '-u', 'CONTEXT', 'make'];
  return [...make, '-C', ROOT, 'demo', ...(where === 'this cluster' ? [`CONTEXT=${context}`] : []), ...args];
}

describe('make demo', () => {
  const user = new Terminal();
  afterEach(async () => await user.close());

  it('shows the requests, checks that everything was restored, and leaves nothing behind', async () => {
    const [command = '', ...args] = await make('this cluster');
    const { code, stdout, stderr } = await execute(command, args);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /web +GET +\/orders\/9999 +404/);
    assert.match(stdout, /billing +GET +\/report\?month=11 +200/);
    assert.match(stdout, /equal\n.*none\n.*sent, 0 lost\n/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    assert.doesNotMatch(stdout + stderr, /[\x00-\x09\x0b-\x1f]/);
    assert.deepEqual(await left(namespaceIn(stdout)), []);
  });

  // It would be the same on a real one.
  it('leaves nothing behind after a Ctrl-C, on a cluster of its own', {
    skip: !isPocket,
  }, async () => {
    // As in a shell, which outlives the Ctrl-C that its command gets.
    const shell = 'trap : INT; "$@"; echo "ended with $?"; sleep 600';
    await user.start(['sh', '-c', shell, 'sh', ...(await make('its own'))]);
    const namespace = namespaceIn(await user.shows(/orders\/9999 +404/, 180));
    await user.type('C-c');
    await user.shows(/ended with (2|130)/, 180);
    assert.deepEqual(await left(namespace), []);
  });

  it("opens mitmproxy's TUI and waits for q", async () => {
    await user.start(await make('this cluster', 'TUI=1'));
    await user.shows(/GET +orders \/orders\/9999 +404/, 180);
    await user.type('q', 'y');
    const namespace = namespaceIn(await user.shows(/exit code 0/, 180));
    assert.deepEqual(await left(namespace), []);
  });
});
