import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { execute } from '../execute.ts';
import { commandLine, mittens } from '../scripts.ts';
import { createTerminal, inShop, open, readState, shop, showsRequest, useSessions } from './session.ts';

useSessions();

describe('a session', () => {
  it('uses the kubeconfig of the user who opens it, not that of the tmux server', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mittens-tmux-'));
    const server = ['-L', 'mittens', '-f', '/dev/null'];
    const elsewhere = [`TMUX_TMPDIR=${folder}`, 'KUBECONFIG=/nowhere', 'tmux', ...server];
    const before = await execute('env', [...elsewhere, 'new-session', '-d', '-s', 'before']);
    assert.equal(before.code, 0, before.stderr);
    const terminal = createTerminal();
    await terminal.start(commandLine('on', ['web', ...inShop]), { TMUX_TMPDIR: folder });
    await terminal.shows('Flows');
    await terminal.type('Q');
    await terminal.shows('exit code 0');
    await execute('env', [...elsewhere, 'kill-server']);
    rmSync(folder, { recursive: true });
  });

  it('shows the same flows to a user on another machine', async () => {
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

  it('continues when a second viewer is ended by a signal', async () => {
    const first = await open('on');
    await first.shows('Flows');
    const second = await open('attach');
    await second.shows('Flows');
    process.kill(await second.pid(), 'SIGTERM');
    await second.shows('exit code 143');
    await showsRequest(first, '/still-here');
    assert.equal(await readState(), 'on');
  });

  it('attaches again after the connection to a pod was lost', async () => {
    const terminal = await open('on');
    await showsRequest(terminal, '/before');
    const format = '#{session_name} #{pane_pid}';
    const { stdout } = await execute('tmux', ['-L', 'mittens', 'list-panes', '-a', '-F', format]);
    const [, pid] = stdout.match(new RegExp(`${shop.name}/web-\\w+ (\\d+)`)) ?? [];
    process.kill(Number(pid), 'SIGKILL');
    await showsRequest(terminal, '/after');
    await terminal.shows('/before');
  });

  it('opens a new window for a pod that replaces another', async () => {
    const terminal = await open('on');
    await terminal.shows('Flows');
    const [before] = /web-\w+-\w+/.exec(await terminal.screen()) ?? [];
    await shop.kubectl('delete', 'pods', '-l', 'app=web', '--wait=false');
    await terminal.shows(new RegExp(`0:(?!${before})web-\\w+-\\w+|1:web-\\w+-\\w+\\*`));
    await showsRequest(terminal, '/to-the-new-pod');
  });

  it('ends when another user restores the Service, and says so', async () => {
    const terminal = await open('on');
    await terminal.shows('Flows');
    assert.equal((await mittens('off', 'web', ...inShop)).code, 0);
    await terminal.shows('service/web was restored by someone else');
    await terminal.shows('exit code 0');
    const { stdout } = await execute('tmux', ['-L', 'mittens', 'list-sessions', '-F', '#{session_name}']);
    assert.ok(!stdout.includes(shop.name), stdout);
  });
});
