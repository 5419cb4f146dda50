import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { commandLine, mittens } from '../scripts.ts';
import { Capture, loadIn, oneTo, pathsIn } from './capture.ts';
import { Terminal } from './terminal.ts';
import { until } from './until.ts';
import { openWebShop, WEB_OBJECTS } from './web-shop.ts';

const { shop, folder } = openWebShop({ targetPort: 8080 });
const inShop = ['-n', shop.name];

/** A capture whose file has this name. */
function capturing(name: string, ...args: string[]): Capture {
  return new Capture(shop, join(folder, name), ...args);
}

describe('a capture', () => {
  let original: object[];

  before(async () => {
    original = await shop.snapshot(...WEB_OBJECTS);
  });

  it('records every request of a steady load once, as soon as it is answered, and restores the Service', async () => {
    const capture = capturing('load.mitm');
    await capture.records('/first');
    const load = await shop.load('web');
    await capture.recordsLoad(200);
    const { sent, failed } = await load.stop();
    const { code, stderr } = await capture.stop();
    assert.deepEqual(failed, []);
    assert.deepEqual(await loadIn(capture.file), oneTo(sent));
    assert.equal(code, 130, stderr);
    assert.match(stderr, /\d+ flows from 2 pods in .*load\.mitm\n$/);
    assert.doesNotMatch(stderr, /warning/);
    assert.equal(statSync(capture.file).mode & 0o777, 0o600);
    assert.deepEqual(await shop.snapshot(...WEB_OBJECTS), original);
  });

  it('shows its progress on a terminal, and ends at Ctrl-C', async () => {
    const terminal = new Terminal();
    try {
      const file = join(folder, 'terminal.mitm');
      // As in a shell, which outlives the Ctrl-C that its command gets.
      const shell = 'trap : INT; "$@"; echo "ended with $?"; sleep 600';
      const line = commandLine('capture', ['web', ...inShop, '-o', file]);
      await terminal.start(['sh', '-c', shell, 'sh', ...line]);
      await terminal.shows('is tapped');
      // kube-proxy may follow the Service a moment later, so that the first requests still pass by.
      await until('the terminal shows flows', async () => {
        await shop.request('web', '/live');
        return /[1-9]\d* flows? from 2 pods, .*B, .* a second/.test(await terminal.screen());
      });
      await terminal.type('C-c');
      await terminal.shows('ended with 130');
      assert.match(await terminal.screen(), /flows? from 2 pods in .*terminal\.mitm/);
      assert.ok((await pathsIn(file)).includes('/live'));
    } finally {
      await terminal.close();
    }
    assert.deepEqual(await shop.snapshot(...WEB_OBJECTS), original);
  });

  it('is shown by list, excludes a second capture and a session, and ends when another user restores the Service', async () => {
    const capture = capturing('owned.mitm');
    await capture.records('/first');
    for (const result of [
      await mittens('capture', 'web', ...inShop, '-o', join(folder, 'second.mitm')),
      await mittens('on', 'web', ...inShop, '--detach'),
    ]) {
      assert.equal(result.code, 1);
      assert.match(
        result.stderr,
        /service\/web is being captured, by .*@.* since .*\nhint: wait until it ends, or end it: .*scripts\/off\.ts web -n /,
      );
    }
    assert.ok(!existsSync(join(folder, 'second.mitm')));
    assert.match((await mittens('list', ...inShop, '-o', 'wide')).stdout, /^web .* mitmdump /m);
    await mittens('off', 'web', ...inShop);
    const { code, stderr } = await capture.ended();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /someone else restored the Service/);
    assert.ok((await pathsIn(capture.file)).includes('/first'));
  });
});
