import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { mittens } from '../scripts.ts';
import { Namespace } from './namespace.ts';

const shop = new Namespace('privileged');
const inShop = ['-n', shop.name];
const objects = ['service/web', 'deployment/web'];
let original: object[];

before(async () => {
  await shop.create();
  await shop.app({ name: 'web' });
  await shop.service('web', [{ port: 80, targetPort: 'http' }]);
  original = await shop.snapshot(...objects);
});
afterEach(async () => {
  assert.deepEqual(await shop.snapshot(...objects), original);
  assert.equal(await shop.kubectl('get', 'configmap', '-l', 'of=ancestor', '-o', 'name'), '');
});
after(() => shop.delete());

/**
 * Leaves behind what an ancestor leaves when it dies, as its source has it (cmd/…/tap.go and mitmproxy.go): the
 * annotation, a port that it named, the container with its volumes, the ConfigMap.
 */
async function leftBy(ancestor: 'mittens' | 'kubetap'): Promise<void> {
  const volumes = [`${ancestor}-target-web`, `${ancestor}-mitmproxy-data`];
  const template = {
    metadata: { annotations: { [`${ancestor}.io/tapped`]: 'web' } },
    spec: {
      containers: [
        {
          name: ancestor,
          image: process.env.MITTENS_TEST_APP_IMAGE ?? 'node:20-slim',
          command: ['node', '-e', 'require("http").createServer((q, s) => s.end()).listen(7777)'],
          ports: [{ name: `${ancestor}-listen`, containerPort: 7777 }],
          resources: { requests: { cpu: '10m' } },
          volumeMounts: volumes.map((name) => ({ name, mountPath: `/${name}` })),
        },
      ],
      volumes: [
        { name: volumes[0], configMap: { name: volumes[0] } },
        { name: volumes[1], emptyDir: {} },
      ],
    },
  };
  await shop.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: volumes[0], labels: { of: 'ancestor' } },
  });
  await shop.kubectl('patch', 'deployment/web', '--patch', JSON.stringify({ spec: { template } }));
  const ports = [{ name: `${ancestor}-listen`, port: 80, targetPort: 7777 }];
  const annotations = { [`${ancestor}.io/original-port`]: 'http' };
  const service = { metadata: { annotations }, spec: { ports } };
  await shop.kubectl('patch', 'service/web', '--type=merge', '--patch', JSON.stringify(service));
  await shop.kubectl('rollout', 'status', 'deployment/web', '--timeout=120s');
}

for (const [ancestor, name] of [
  ['mittens', 'the Go mittens'],
  ['kubetap', 'kubetap'],
] as const) {
  describe(`what ${name} left behind`, () => {
    it('is listed as broken, cannot be tapped again, and is restored by off', async () => {
      await leftBy(ancestor);
      assert.match((await mittens('list', ...inShop)).stdout, new RegExp(`web .* broken: left by ${name}`));
      const refused = await mittens('on', 'web', '--detach', ...inShop);
      assert.match(
        refused.stderr,
        new RegExp(
          `service/web is tapped by ${name}\nhint: restore it first: .*scripts/off.ts web -n ${shop.name}\n`,
        ),
      );
      const { code, stderr } = await mittens('off', 'web', ...inShop);
      assert.equal(code, 0, stderr);
      await shop.answers('web');
    });
  });
}
