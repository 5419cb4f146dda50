import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { mittens } from '../scripts.ts';
import { Capture, pathsIn } from './capture.ts';
import { Namespace } from './namespace.ts';
import { until } from './until.ts';

const shop = new Namespace();
const inShop = ['-n', shop.name];
const objects = ['service/web', 'deployment/web'];
const folder = mkdtempSync(join(tmpdir(), 'mittens-gc-'));
let original: object[];

before(async () => {
  await shop.create();
  await shop.app({ name: 'web' });
  await shop.service('web', [{ port: 80, targetPort: 8080 }]);
  original = await shop.snapshot(...objects);
});
after(async () => {
  rmSync(folder, { recursive: true });
  await shop.delete();
});

describe('gc', () => {
  it('ends the tap of a capture that died and keeps its flows, and leaves a capture that runs alone', async () => {
    const capture = new Capture(shop, join(folder, 'gc.mitm'));
    await capture.records('/left');
    const { stderr: living } = await mittens('gc', ...inShop);
    assert.match(living, /^no tap is left over\n$/);
    await capture.die();
    const said = await until('gc finds the tap', async () => {
      const { stderr } = await mittens('gc', ...inShop, '--dry-run');
      return stderr.includes('was left tapped') && stderr;
    });
    assert.match(said, /^service\/web in \S+ was left tapped, by \S+@\S+ since \S+\n$/);
    assert.notDeepEqual(await shop.snapshot(...objects), original);
    const { code, stderr } = await mittens('gc', ...inShop);
    assert.equal(code, 0, stderr);
    const [, kept = ''] = /flows are saved in (\S+)\n/.exec(stderr) ?? [];
    assert.ok((await pathsIn(kept)).includes('/left'), stderr);
    assert.deepEqual(await shop.snapshot(...objects), original);
  });

  it('ends the tap of a session only if it is older than --older-than', async () => {
    await mittens('on', 'web', ...inShop, '--detach');
    assert.match((await mittens('gc', ...inShop, '--older-than', '1h')).stderr, /^no tap is left over\n$/);
    const { code, stderr } = await mittens('gc', ...inShop, '--older-than', '1s');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^service\/web in \S+ has been tapped for \d+s, by /);
    assert.deepEqual(await shop.snapshot(...objects), original);
  });

  for (const [what, args, says] of [
    ['names', ['web'], /gc takes no arguments, but got: web/],
    ['no age', ['--older-than', 'old'], /"old" is not a duration/],
    ['a namespace and all of them', ['-A', '-n', 'x'], /either --namespace or --all-namespaces/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const { code, stderr } = await mittens('gc', ...args);
      assert.equal(code, 2);
      assert.match(stderr, says);
    });
  }
});
