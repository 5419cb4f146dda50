import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { mittens } from '../scripts.ts';
import { Namespace } from './namespace.ts';

const shop = new Namespace();
const inShop = ['-n', shop.name];

interface Service {
  metadata: { labels?: object; annotations?: object };
  spec: { ports: { port: number; targetPort: number | string }[] };
}

before(async () => {
  await shop.create();
  await shop.app({ name: 'web' });
  await shop.service('web', [
    { name: 'http', port: 80, targetPort: 'http' },
    { name: 'admin', port: 81, targetPort: 8080 },
  ]);
});
after(() => shop.delete());

async function state(): Promise<string> {
  return JSON.parse((await mittens('list', '-o', 'json', ...inShop)).stdout).items[0].state;
}

async function on(): Promise<void> {
  const { code, stderr } = await mittens('on', 'web', '-p', '80', '-p', '81', '--detach', ...inShop);
  assert.equal(code, 0, stderr);
}

async function off(): Promise<void> {
  const { code, stderr } = await mittens('off', 'web', ...inShop);
  assert.equal(code, 0, stderr);
}

describe('what another user changes during a tap', () => {
  it('stays changed after off: labels, scale and image', async () => {
    const original = (await shop.snapshot('service/web', 'deployment/web')) as { spec: object }[];
    const image = await shop.kubectl(
      'get',
      'deployment/web',
      '-o',
      'jsonpath={.spec.template.spec.containers[0].image}',
    );
    await on();
    await shop.kubectl('label', 'service/web', 'team=checkout');
    await shop.kubectl('annotate', 'service/web', 'note=kept');
    await shop.kubectl('label', 'deployment/web', 'team=checkout', '--overwrite');
    await shop.kubectl('scale', 'deployment/web', '--replicas=2');
    // Another name of the same image, so that it is there.
    await shop.kubectl(
      'set',
      'image',
      'deployment/web',
      `app=${image.includes('/') ? `docker.io/${image}` : `docker.io/library/${image}`}`,
    );
    await shop.kubectl('rollout', 'status', 'deployment/web', '--timeout=120s');
    await shop.answers('web');
    await off();
    const service = await shop.get<Service>('service/web');
    assert.deepEqual(service.metadata.labels, { team: 'checkout' });
    assert.deepEqual(service.metadata.annotations, { note: 'kept' });
    assert.deepEqual(service.spec, original[0]?.spec);
    const deployment = await shop.get<{
      metadata: { labels: object };
      spec: { replicas: number; template: { spec: { containers: { name: string; image: string }[] } } };
    }>('deployment/web');
    assert.deepEqual(deployment.metadata.labels, { team: 'checkout' });
    assert.equal(deployment.spec.replicas, 2);
    assert.deepEqual(
      deployment.spec.template.spec.containers.map(({ name, image }) => [
        name,
        image.startsWith('docker.io/'),
      ]),
      [['app', true]],
    );
  });

  it('makes the tap broken in list and stays changed after off: a targetPort', async () => {
    await on();
    const patch = [{ op: 'replace', path: '/spec/ports/1/targetPort', value: 8080 }];
    await shop.kubectl('patch', 'service/web', '--type=json', '--patch', JSON.stringify(patch));
    assert.equal(await state(), 'broken: port 81 points at 8080 again');
    await off();
    const { spec } = await shop.get<Service>('service/web');
    assert.deepEqual(
      spec.ports.map(({ targetPort }) => targetPort),
      ['http', 8080],
    );
  });

  it('stays changed after off: the list of ports', async () => {
    await on();
    const patch = [
      { op: 'add', path: '/spec/ports/0', value: { name: 'new', port: 90, targetPort: 8080 } },
      { op: 'remove', path: '/spec/ports/2' },
    ];
    await shop.kubectl('patch', 'service/web', '--type=json', '--patch', JSON.stringify(patch));
    assert.equal(await state(), 'broken: port 81 is gone');
    await off();
    const { spec } = await shop.get<Service>('service/web');
    assert.deepEqual(
      spec.ports.map(({ port, targetPort }) => [port, targetPort]),
      [
        [90, 8080],
        [80, 'http'],
      ],
    );
  });

  it('makes the tap broken in list, and off still ends it: the containers', async () => {
    const { code } = await mittens('on', 'web', '-p', '80', '--detach', ...inShop);
    assert.equal(code, 0);
    const patch = {
      spec: { template: { spec: { containers: [{ name: 'mittens-web', $patch: 'delete' }] } } },
    };
    await shop.kubectl('patch', 'deployment/web', '--patch', JSON.stringify(patch));
    assert.equal(await state(), 'broken: deployment/web has lost the proxy');
    await off();
    await shop.answers('web');
  });
});
