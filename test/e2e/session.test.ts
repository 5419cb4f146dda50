import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { execute } from '../execute.ts';
import { commandLine, mittens } from '../scripts.ts';
import { Namespace } from './namespace.ts';
import { sleep, Terminal } from './terminal.ts';
import { until } from './until.ts';

const shop = new Namespace();
const inShop = ['-n', shop.name];
const objects = ['service/web', 'deployment/web'];
let original: object[];
let terminals: Terminal[] = [];

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

async function open(command: 'on' | 'attach', ...flags: string[]): Promise<Terminal> {
  return await openFor('web', command, ...flags);
}

async function openFor(service: string, command: 'on' | 'attach', ...flags: string[]): Promise<Terminal> {
  const terminal = new Terminal();
  terminals.push(terminal);
  await terminal.start(commandLine(command, [service, ...inShop, ...flags]));
  return terminal;
}

/** Sends requests until a terminal shows one: kube-proxy takes a moment to follow the Service. */
async function showsRequest(terminal: Terminal, path: string): Promise<void> {
  await terminal.shows('Flows');
  await until(`${path} is shown`, async () => {
    await shop.request('web', path);
    return (await terminal.screen()).includes(path);
  });
}

async function state(): Promise<string | undefined> {
  return JSON.parse((await mittens('list', '-o', 'json', ...inShop)).stdout).items[0]?.state;
}

describe('a session', () => {
  it('outlives its terminal: attach from another one shows the same flows', async () => {
    const first = await open('on');
    await showsRequest(first, '/before-the-crash');
    await first.close();
    assert.equal(await state(), 'on');
    const second = await open('attach');
    await second.shows('/before-the-crash');
    await second.type('Q');
    await second.shows('exit code 0');
    assert.deepEqual(await shop.snapshot(...objects), original);
  });

  it('is of the cluster of whoever opens it, and not of whoever had one before', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mittens-tmux-'));
    const server = ['-L', 'mittens', '-f', '/dev/null'];
    const elsewhere = [`TMUX_TMPDIR=${folder}`, 'KUBECONFIG=/nowhere', 'tmux', ...server];
    const before = await execute('env', [...elsewhere, 'new-session', '-d', '-s', 'before']);
    assert.equal(before.code, 0, before.stderr);
    const terminal = new Terminal();
    terminals.push(terminal);
    await terminal.start(commandLine('on', ['web', ...inShop]), { TMUX_TMPDIR: folder });
    await terminal.shows('Flows');
    await terminal.type('Q');
    await terminal.shows('exit code 0');
    await execute('env', [...elsewhere, 'kill-server']);
    rmSync(folder, { recursive: true });
  });

  it('is left on by the detach key, which says how to come back', async () => {
    const terminal = await open('on');
    await terminal.shows('Flows');
    await terminal.type('C-b', 'd');
    const screen = await terminal.shows('exit code 0');
    assert.match(screen, /service\/web stays tapped\n/);
    for (const command of ['return to it: .*attach', 'restore it: .*off'])
      assert.match(screen, new RegExp(`^${command}\\.ts web -n ${shop.name}`, 'm'));
    assert.equal(await state(), 'on');
    const back = await open('on');
    await back.shows('Flows');
  });

  it('shows the same flows to someone on another machine, who has no session of it', async () => {
    const first = await open('on');
    await showsRequest(first, '/seen-by-both');
    // Not the server: others may have sessions of theirs on it.
    const { stdout } = await execute('tmux', ['-L', 'mittens', 'list-sessions', '-F', '#{session_name}']);
    const session = stdout.split('\n').find((name) => name.startsWith(`${shop.name}/`));
    await execute('tmux', ['-L', 'mittens', 'kill-session', '-t', `=${session}`]);
    await first.shows('exit code 0');
    const elsewhere = await open('attach');
    await elsewhere.shows('/seen-by-both');
  });

  it('goes on when a second viewer leaves, or is ended by a signal', async () => {
    const first = await open('on');
    await first.shows('Flows');
    const second = await open('attach');
    await second.shows('Flows');
    process.kill(await second.pid(), 'SIGTERM');
    await second.shows('exit code 143');
    await showsRequest(first, '/still-here');
    assert.equal(await state(), 'on');
  });

  it('attaches again when the connection is lost', async () => {
    const terminal = await open('on');
    await showsRequest(terminal, '/before');
    const format = '#{session_name} #{pane_pid}';
    const { stdout } = await execute('tmux', ['-L', 'mittens', 'list-panes', '-a', '-F', format]);
    const [, pid] = stdout.match(new RegExp(`${shop.name}/web-\\w+ (\\d+)`)) ?? [];
    process.kill(Number(pid), 'SIGKILL');
    await showsRequest(terminal, '/after');
    await terminal.shows('/before');
  });

  it('follows the pods: a pod that is replaced gets a new window', async () => {
    const terminal = await open('on');
    await terminal.shows('Flows');
    const [before] = /web-\w+-\w+/.exec(await terminal.screen()) ?? [];
    await shop.kubectl('delete', 'pods', '-l', 'app=web', '--wait=false');
    await terminal.shows(new RegExp(`0:(?!${before})web-\\w+-\\w+|1:web-\\w+-\\w+\\*`));
    await showsRequest(terminal, '/to-the-new-pod');
  });

  it('ends when someone else gives the Service back, and says so', async () => {
    const terminal = await open('on');
    await terminal.shows('Flows');
    assert.equal((await mittens('off', 'web', ...inShop)).code, 0);
    await terminal.shows('service/web was restored by someone else');
    await terminal.shows('exit code 0');
    const { stdout } = await execute('tmux', ['-L', 'mittens', 'list-sessions', '-F', '#{session_name}']);
    assert.ok(!stdout.includes(shop.name), stdout);
  });

  it('works without tmux, on the terminal itself', async () => {
    const terminal = await open('on', '--no-tmux');
    await showsRequest(terminal, '/direct');
    await terminal.type('q');
    await terminal.shows('Quit');
    await terminal.type('y');
    await terminal.shows('service/web is restored');
    await terminal.shows('exit code 0');
    assert.deepEqual(await shop.snapshot(...objects), original);
  });
});

describe('off while on still waits', () => {
  it('wins: on says so, and leaves nothing', async () => {
    const terminal = await openFor('deaf', 'on');
    await terminal.shows("nothing listens on the app's port");
    assert.equal((await mittens('off', 'deaf', ...inShop)).code, 0);
    await terminal.shows('service/deaf was restored by someone else meanwhile');
    await terminal.shows('exit code 1');
    assert.deepEqual(await shop.snapshot(...objects), original);
  });
});

describe('off at any moment of on', () => {
  it('leaves the Service as it was, or tapped and to be given back', async () => {
    for (const ms of [1000, 1500, 2000, 2500, 3000, 3500]) {
      const tapping = mittens('on', 'web', '--detach', '--timeout', '60s', ...inShop);
      await sleep(ms);
      await mittens('off', 'web', ...inShop);
      await tapping;
      if ((await state()) !== undefined) await mittens('off', 'web', ...inShop);
      assert.deepEqual(await shop.snapshot(...objects), original, `off ${ms} ms after on`);
    }
  });
});

describe('several at once who tap the same Service', () => {
  it('get one tap, and the others are told whose it is', async () => {
    const results = await Promise.all(
      [1, 2, 3].map(() => mittens('on', 'web', '--detach', '--timeout', '60s', ...inShop)),
    );
    const told = results.filter(({ stderr }) =>
      /service\/web .*(is starting|is already tapped), by .*@/.test(stderr),
    );
    assert.equal(told.length, 2);
    const words = results.map(({ stderr }) => stderr).join('---\n');
    assert.ok(
      results.some(({ code, stderr }) => code === 0 && !stderr.includes('already')),
      words,
    );
    assert.deepEqual(await shop.containers('web'), ['app', 'mittens-web']);
  });
});

describe('a signal', () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`${signal} to on in a session gives the Service back`, async () => {
      const terminal = await open('on');
      await terminal.shows('Flows');
      process.kill(await terminal.pid(), signal);
      await terminal.shows(`exit code ${code}`);
      assert.deepEqual(await shop.snapshot(...objects), original);
    });
  }

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    it(`${signal} while the pods roll puts the Service back`, async () => {
      const terminal = await openFor('deaf', 'on');
      await terminal.shows('deployment/web: ');
      process.kill(await terminal.pid(), signal);
      await terminal.shows(`exit code ${code}`);
      assert.match(await terminal.screen(), /restoring service\/deaf/);
      assert.deepEqual(await shop.snapshot(...objects), original);
      assert.equal(await state(), undefined);
    });
  }
});
