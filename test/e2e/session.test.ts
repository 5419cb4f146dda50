import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { objects, open, original, readState, shop, showsRequest, useSessions } from './session.ts';

useSessions();

describe('a session', () => {
  it('outlives its terminal: attach shows the same flows on another one', async () => {
    const first = await open('on');
    await showsRequest(first, '/before-the-crash');
    await first.close();
    assert.equal(await readState(), 'on');
    const second = await open('attach');
    await second.shows('/before-the-crash');
    await second.type('Q');
    await second.shows('exit code 0');
    assert.deepEqual(await shop.snapshot(...objects), original);
  });

  it('stays tapped after the detach key, and says how to come back', async () => {
    const terminal = await open('on');
    await terminal.shows('Flows');
    await terminal.type('C-b', 'd');
    const screen = await terminal.shows('exit code 0');
    assert.match(screen, /service\/web stays tapped\n/);
    for (const command of ['return to it: .*attach', 'restore it: .*off'])
      assert.match(screen, new RegExp(`^${command}\\.ts web -n ${shop.name}`, 'm'));
    assert.equal(await readState(), 'on');
    const back = await open('on');
    await back.shows('Flows');
  });

  it('works on the terminal itself with --no-tmux', async () => {
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
