import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mittens } from '../scripts.ts';
import { Namespace } from './namespace.ts';

const TEMPLATES = fileURLToPath(new URL('../../templates/', import.meta.url));
const objects = ['service/web', 'deployment/web', 'service/db', 'statefulset/db'];
const shop = new Namespace();
const inShop = ['-n', shop.name];
const folder = mkdtempSync(join(tmpdir(), 'mittens-test-'));
let original: object[];

before(async () => {
  await shop.create();
  await Promise.all([shop.app({ name: 'web' }), shop.app({ name: 'db', kind: 'StatefulSet' })]);
  await shop.service('web', [{ port: 80, targetPort: 8080 }]);
  await shop.service('db', [{ port: 80, targetPort: 8080 }]);
  await shop.service('deaf', [{ port: 80, targetPort: 5 }], { selector: { app: 'web' } });
  original = await shop.snapshot(...objects);
});
after(async () => {
  rmSync(folder, { recursive: true });
  await shop.delete();
});

/** A tap that fails: it gives the reason, and puts everything back. */
async function fails(says: RegExp, ...args: string[]): Promise<void> {
  const rest = args.indexOf('--');
  const [flags, passed] = rest < 0 ? [args, []] : [args.slice(0, rest), args.slice(rest)];
  const { code, stdout, stderr } = await mittens('on', ...flags, '--detach', ...inShop, ...passed);
  assert.match(stderr, says);
  assert.deepEqual([code, stdout], [1, '']);
  assert.deepEqual(await shop.snapshot(...objects), original);
  assert.deepEqual(
    (await mittens('list', '-o', 'json', ...inShop)).stdout,
    '{\n  "kind": "TapList",\n  "items": []\n}\n',
  );
}

/** A folder of templates whose sidecar asks for other resources. */
function templatesAsking(cpu: string): string {
  const templates = join(folder, cpu);
  cpSync(TEMPLATES, templates, { recursive: true });
  const sidecar = readFileSync(join(TEMPLATES, 'sidecar.yaml'), 'utf8');
  writeFileSync(
    join(templates, 'sidecar.yaml'),
    sidecar.replace('resources: ${resources}', `resources: { requests: { cpu: "${cpu}" } }`),
  );
  return templates;
}

describe('on says why and restores the Service', () => {
  it('if the image cannot be pulled', () =>
    fails(
      /pod\/web-.*, container mittens-web: (ErrImagePull|ImagePullBackOff), image .*nowhere:1/,
      'web',
      '--image',
      'localhost:1/nowhere:1',
    ));

  it('if the image must not be pulled', () =>
    fails(/ErrImageNeverPull/, 'web', '--image', 'localhost:1/nowhere:1', '--image-pull-policy', 'Never'));

  it('if mitmproxy ends at once', () =>
    fails(/container mittens-web: ended with exit code \d/, 'web', '--', '--no-such-option'));

  it('if no node has room for the pod', () =>
    fails(/can't be scheduled: .*nsufficient cpu/, 'web', '--templates', templatesAsking('900')));

  it("if nothing listens on the app's port in time", () =>
    fails(/did not roll out in 10 s: .*nothing listens on the app's port/, 'deaf', '--timeout', '10s'));

  describe('if a quota forbids the pod', () => {
    before(async () => {
      const quota = {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'small' },
        spec: { hard: { 'requests.cpu': '1' } },
      };
      await shop.apply(quota);
      // The quota counts from when its controller has seen it.
      await shop.kubectl(
        'wait',
        'resourcequota/small',
        '--for=jsonpath={.status.hard.requests\\.cpu}=1',
        '--timeout=30s',
      );
    });
    after(() => shop.kubectl('delete', 'resourcequota/small'));

    it('of a Deployment', () => fails(/exceeded quota: small/, 'web', '--templates', templatesAsking('2')));

    it('of a StatefulSet', () => fails(/exceeded quota: small/, 'db', '--templates', templatesAsking('2')));
  });
});
