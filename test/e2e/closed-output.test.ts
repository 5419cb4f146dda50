import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { commandLine, mittens } from '../scripts.ts';
import { hasEphemeral } from './cluster.ts';
import { Namespace } from './namespace.ts';
import { Terminal } from './terminal.ts';
import { until } from './until.ts';

const shop = new Namespace();
const inShop = ['-n', shop.name];
const objects = ['service/web', 'deployment/web'];
const folder = mkdtempSync(join(tmpdir(), 'mittens-closed-'));
let original: object[];

before(async () => {
  await shop.create();
  await shop.app({ name: 'web' });
  await shop.service('web', [{ port: 80, targetPort: 8080 }]);
  original = await shop.snapshot(...objects);
});
afterEach(async () => {
  await mittens('off', 'web', ...inShop);
});
after(async () => {
  rmSync(folder, { recursive: true });
  await shop.delete();
});

/** Waits until the Service and its workload are as they were, which a command that died would not see to. */
async function isRestored(): Promise<void> {
  await until('the Service is restored', async () =>
    isDeepStrictEqual(await shop.snapshot(...objects), original),
  );
}

describe('a command whose output nobody reads any more', () => {
  it('captures to its end and restores the Service: capture … 2>&1 | head -1', async () => {
    const [node = '', ...line] = commandLine('capture', ['web', ...inShop, '-o', join(folder, 'x.mitm')]);
    const child = spawn(node, [...line, '--for', '2s'], { stdio: ['ignore', 'pipe', 'pipe'] });
    await once(child.stderr, 'data');
    child.stderr.destroy();
    child.stdout.destroy();
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    await isRestored();
  });
});

describe('a command whose terminal is closed', () => {
  const rows: [what: string, args: string[], until: RegExp][] = [
    ['while the pods roll', [], /pods ready/],
    ['with --no-tmux', ['--no-tmux'], /Flows/],
    ...(hasEphemeral
      ? ([['with --no-restart', ['--no-restart'], /Flows/]] as [string, string[], RegExp][])
      : []),
  ];
  for (const [what, args, until] of rows) {
    it(`restores the Service: on, ${what}`, async () => {
      const terminal = new Terminal();
      await terminal.start(commandLine('on', ['web', ...inShop, ...args]));
      await terminal.shows(until);
      await terminal.close();
      await isRestored();
    });
  }

  it('restores the Service: capture', async () => {
    const terminal = new Terminal();
    await terminal.start(commandLine('capture', ['web', ...inShop, '-o', join(folder, 'y.mitm')]));
    await terminal.shows(/0 flows from 1 pod/);
    await terminal.close();
    await isRestored();
  });
});
