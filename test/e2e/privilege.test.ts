import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { load } from 'js-yaml';
import { commandLine, mittens } from '../scripts.ts';
import { hasEphemeral } from './cluster.ts';
import { Namespace } from './namespace.ts';
import { Terminal } from './terminal.ts';

interface Role {
  metadata: { name: string };
  rules: { resources: string[]; verbs: string[] }[];
}

const role = load(readFileSync(new URL('../../docs/rbac.yaml', import.meta.url), 'utf8')) as Role;
const shop = new Namespace();
const objects = ['service/web', 'deployment/web'];
let original: object[];

before(async () => {
  await shop.create();
  await shop.app({ name: 'web' });
  await shop.service('web', [{ port: 80, targetPort: 8080 }]);
  await grant('tapper', role);
  // The same, but for the right to change a workload.
  const rules = role.rules.map((rule) => ({
    ...rule,
    verbs: rule.verbs.filter((verb) => verb !== 'patch' || rule.resources.includes('services')),
  }));
  await grant('reader', { ...role, metadata: { name: 'reader' }, rules });
  const without = (resource: string) => role.rules.filter(({ resources }) => !resources.includes(resource));
  const lesser = (name: string, resource: string) =>
    grant(name, { ...role, metadata: { name }, rules: without(resource) });
  await lesser('restarter', 'pods/ephemeralcontainers');
  await lesser('viewer', 'pods/portforward');
  original = await shop.snapshot(...objects);
});
after(() => shop.delete());

async function grant(name: string, role: Role): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io';
  await shop.apply(
    role,
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } },
    {
      apiVersion: `${apiGroup}/v1`,
      kind: 'RoleBinding',
      metadata: { name },
      roleRef: { apiGroup, kind: 'Role', name: role.metadata.name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: shop.name }],
    },
  );
}

function as(name: string): string[] {
  return ['-n', shop.name, '--as', `system:serviceaccount:${shop.name}:${name}`];
}

describe('a user with only the documented Role', () => {
  const terminal = new Terminal();
  after(() => terminal.close());

  it('can tap a Service, see its requests, list it and restore it', async () => {
    await terminal.start(commandLine('on', ['web', ...as('tapper')]));
    await terminal.shows('[*:7777]');
    const { stdout } = await mittens('list', '-o', 'json', ...as('tapper'));
    assert.equal(JSON.parse(stdout).items[0].state, 'on');
    await terminal.type('Q');
    await terminal.shows('exit code 0');
    assert.deepEqual(await shop.snapshot(...objects), original);
  });

  it('can restore it by off', async () => {
    assert.equal((await mittens('on', 'web', '--detach', ...as('tapper'))).code, 0);
    assert.equal((await mittens('off', 'web', ...as('tapper'))).code, 0);
    assert.deepEqual(await shop.snapshot(...objects), original);
  });
});

describe('without a restart', {
  skip: hasEphemeral ? false : 'this Kubernetes has no ephemeral containers',
}, () => {
  it('a user with only the documented Role can tap a Service and a pod, and restore them', async () => {
    const pod = await shop.kubectl('get', 'pods', '-l', 'app=web', '-o', 'name');
    for (const what of ['web', pod.trim()]) {
      const on = await mittens('on', what, '--no-restart', '--detach', '--watch-detached', ...as('tapper'));
      assert.equal(on.code, 0, on.stderr);
      const off = await mittens('off', what, ...as('tapper'));
      assert.equal(off.code, 0, off.stderr);
    }
    assert.deepEqual(await shop.snapshot(...objects), original);
  });

  it('a user who may not add ephemeral containers is told about the other mode, and changes nothing', async () => {
    const flags = ['--no-restart', '--detach', '--watch-detached', ...as('restarter')];
    const { code, stderr } = await mittens('on', 'web', ...flags);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /\(Forbidden\): .*ephemeralcontainers.*\nhint: leave out --no-restart; the pods are then restarted/,
    );
    assert.deepEqual(await shop.snapshot(...objects), original);
  });
});

describe('a user who may change the Service but not the workload', () => {
  it('is refused before the Service is changed', async () => {
    const version = await shop.kubectl('get', 'service/web', '-o', 'jsonpath={.metadata.resourceVersion}');
    const { code, stderr } = await mittens('on', 'web', '--detach', ...as('reader'));
    assert.equal(code, 1);
    assert.match(stderr, /Error from server \(Forbidden\): deployments.apps "web" is forbidden/);
    assert.equal(
      await shop.kubectl('get', 'service/web', '-o', 'jsonpath={.metadata.resourceVersion}'),
      version,
    );
  });
});

describe('a user who may tap a Service but not reach its proxy', () => {
  it('is told so, and the Service is restored', async () => {
    const { code, stderr } = await mittens('on', 'web', '--web', ...as('viewer'));
    assert.equal(code, 1);
    assert.match(
      stderr,
      /pods\/portforward.*; restoring service\/web \.\.\.\n(.*\n)*service\/web is restored\n/,
    );
    assert.deepEqual(await shop.snapshot(...objects), original);
  });
});

describe('the namespace', () => {
  it('holds no ConfigMap and no Secret of ours during a tap', async () => {
    const names = async () => await shop.kubectl('get', 'configmaps,secrets', '-o', 'name');
    const before = await names();
    assert.equal((await mittens('on', 'web', '--detach', '-n', shop.name)).code, 0);
    assert.equal(await names(), before);
    assert.equal((await mittens('off', 'web', '-n', shop.name)).code, 0);
  });
});
