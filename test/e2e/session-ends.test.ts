import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mittens } from '../scripts.ts';
import { inShop, objects, open, openFor, original, readState, shop, useSessions } from './session.ts';

useSessions();

describe('off while on still waits for the proxies', () => {
  it('restores the Service; on reports that another user did, and leaves nothing behind', async () => {
    const terminal = await openFor('deaf', 'on');
    await terminal.shows("nothing listens on the app's port");
    assert.equal((await mittens('off', 'deaf', ...inShop)).code, 0);
    await terminal.shows('service/deaf was restored by someone else meanwhile');
    await terminal.shows('exit code 1');
    assert.deepEqual(await shop.snapshot(...objects), original);
  });
});

describe('off at any moment of on', () => {
  it('restores the Service, or leaves a tap that a second off ends', async () => {
    for (const ms of [1000, 1500, 2000, 2500, 3000, 3500]) {
      const tapping = mittens('on', 'web', '--detach', '--timeout', '60s', ...inShop);
      await sleep(ms);
      await mittens('off', 'web', ...inShop);
      await tapping;
      if ((await readState()) !== undefined) await mittens('off', 'web', ...inShop);
      assert.deepEqual(await shop.snapshot(...objects), original, `off ${ms} ms after on`);
    }
  });
});

describe('three users who tap the same Service at the same time', () => {
  it('get one tap, and two of them are told whose it is', async () => {
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
    it(`${signal} to on in a session restores the Service`, async () => {
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
    it(`${signal} while the pods roll restores the Service`, async () => {
      const terminal = await openFor('deaf', 'on');
      await terminal.shows('deployment/web: ');
      process.kill(await terminal.pid(), signal);
      await terminal.shows(`exit code ${code}`);
      assert.match(await terminal.screen(), /restoring service\/deaf/);
      assert.deepEqual(await shop.snapshot(...objects), original);
      assert.equal(await readState(), undefined);
    });
  }
});
