import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, it } from 'node:test';
import { applyPatch } from '../src/api/patch.ts';
import { resources } from '../src/kinds/index.ts';
import type { KubeObject } from '../src/objects/object.ts';
import { StatusError } from '../src/objects/status.ts';

/** The oracle is kubectl: it contains the API server's code for merging. */

type Type = 'strategic' | 'merge' | 'json';

interface Outcome {
  object?: object;
  error?: string;
}

const DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', labels: { a: '1', b: '2' }, finalizers: ['x/one', 'x/two'] },
  spec: {
    replicas: 2,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [
          {
            name: 'app',
            image: 'app:1',
            args: ['one', 'two'],
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: '2' },
            ],
            ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
          },
          { name: 'log', image: 'log:1', volumeMounts: [{ name: 'data', mountPath: '/data' }] },
          { name: 'last', image: 'last:1' },
        ],
        volumes: [{ name: 'data', emptyDir: {} }],
        tolerations: [{ key: 'a' }, { key: 'b' }],
      },
    },
  },
};

const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', annotations: { note: 'kept' } },
  spec: {
    selector: { app: 'web' },
    ports: [
      { name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' },
      { name: 'admin', port: 81, targetPort: 8081, protocol: 'TCP' },
    ],
  },
};

/** Runs a few at a time, as each is a process. */
async function inParallel<T>(items: T[], task: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await task(item);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
}

function oracle(type: Type, object: object, patch: unknown): Promise<Outcome> {
  const args = ['patch', '--local', '-f', '-', `--type=${type}`, '-p', JSON.stringify(patch), '-o', 'json'];
  return new Promise((resolve, reject) => {
    const child = spawn('kubectl', args, { env: { ...process.env, KUBECONFIG: '/dev/null' } });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (data) => {
      said.stdout += data;
    });
    child.stderr.on('data', (data) => {
      said.stderr += data;
    });
    child.on('error', reject);
    child.on('close', (code) =>
      resolve(
        code === 0
          ? { object: JSON.parse(said.stdout) }
          : { error: said.stderr.replace(/^error: |\n$/g, '') },
      ),
    );
    child.stdin.end(JSON.stringify(object));
  });
}

const CONTENT_TYPES = {
  strategic: 'application/strategic-merge-patch+json',
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
};

function ours(type: Type, object: { kind: string }, patch: unknown): Outcome {
  const resource = resources.find(({ kind }) => kind === object.kind);
  assert.ok(resource);
  try {
    return { object: applyPatch(CONTENT_TYPES[type], resource, object as KubeObject, patch) };
  } catch (error) {
    if (error instanceof StatusError) return { error: error.message };
    throw error;
  }
}

async function agrees(type: Type, object: { kind: string }, patch: unknown): Promise<void> {
  const [before, sent] = [structuredClone(object), structuredClone(patch)];
  const mine = ours(type, object, patch);
  assert.deepEqual([object, patch], [before, sent], 'what came in was changed');
  const theirs = await oracle(type, object, patch);
  const about = JSON.stringify(patch);
  assert.deepEqual(mine.object, theirs.object, `${about}: ${JSON.stringify(theirs.error ?? mine.error)}`);
  // Kubernetes does not report why a JSON patch failed.
  if (type !== 'json') assert.equal(mine.error?.trim(), theirs.error?.trim(), about);
}

function podPatch(spec: object): object {
  return { spec: { template: { spec } } };
}

const STRATEGIC: object[] = [
  {},
  { spec: { replicas: 5, paused: true, minReadySeconds: null } },
  { metadata: { labels: { a: null, c: '3', absent: null } } },
  { metadata: { labels: { $patch: 'replace', c: '3' } } },
  { metadata: { labels: { $patch: 'delete', c: '3' } } },
  { metadata: { labels: null, annotations: { x: null, y: 'z' } } },
  { metadata: { finalizers: ['x/two', 'x/three'] } },
  { metadata: { '$deleteFromPrimitiveList/finalizers': ['x/one'] } },
  { metadata: { '$setElementOrder/finalizers': ['x/two', 'x/one'] } },
  {
    metadata: {
      '$setElementOrder/finalizers': ['x/new', 'x/two'],
      '$deleteFromPrimitiveList/finalizers': ['x/one'],
      finalizers: ['x/new'],
    },
  },
  { metadata: { ownerReferences: [{ uid: 'u', name: 'o', controller: null }] } },
  { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
  { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate', rollingUpdate: null } } },
  { spec: { strategy: { $retainKeys: ['type'], rollingUpdate: {} } } },
  { spec: { strategy: { $patch: 'replace', type: 'Recreate' } } },
  { spec: { strategy: { $patch: 'bogus' } } },
  { spec: { $patch: 'merge' } },
  podPatch({ containers: [{ name: 'new', image: 'new:1' }] }),
  podPatch({ containers: [{ name: 'last', image: 'last:2' }] }),
  podPatch({ containers: [{ name: 'new' }, { name: 'last', image: null }, { name: 'newer' }] }),
  podPatch({ containers: [{ name: 'log', $patch: 'delete' }] }),
  podPatch({ containers: [{ name: 'nobody', $patch: 'delete' }] }),
  podPatch({
    containers: [
      { name: 'log', $patch: 'delete' },
      { name: 'log', image: 'again' },
    ],
  }),
  podPatch({ containers: [{ $patch: 'replace' }, { name: 'only', image: 'x' }] }),
  podPatch({ containers: [{ $patch: 'delete' }] }),
  podPatch({ containers: [{ name: 'app', $patch: 'bogus' }] }),
  podPatch({ containers: [{ name: 'app', $patch: 'merge' }] }),
  podPatch({ containers: [{ image: 'nameless' }] }),
  podPatch({ containers: [] }),
  podPatch({ containers: null }),
  podPatch({ containers: [{ name: 'app', args: ['three'], command: null }] }),
  podPatch({ containers: [{ name: 'app', args: ['--set', 'one', '--set', 'two', 'one'] }] }),
  podPatch({
    containers: [
      {
        name: 'app',
        env: [
          { name: 'B', $patch: 'delete' },
          { name: 'C', value: '3' },
        ],
      },
    ],
  }),
  podPatch({ containers: [{ name: 'app', env: [{ name: 'A', value: null, valueFrom: { fieldRef: {} } }] }] }),
  podPatch({
    containers: [{ name: 'app', ports: [{ containerPort: 8080, name: 'web' }, { containerPort: 1 }] }],
  }),
  podPatch({
    containers: [
      { name: 'log', volumeMounts: [{ mountPath: '/data', readOnly: true }, { mountPath: '/x' }] },
    ],
  }),
  podPatch({ containers: [{ name: 'app', readinessProbe: { tcpSocket: { port: 1 }, httpGet: null } }] }),
  podPatch({
    containers: [
      { name: 'new', env: [{ name: 'X', value: null, $patch: 'delete' }], resources: { limits: null } },
    ],
  }),
  podPatch({ initContainers: [{ name: 'a', env: [{ name: 'Z', $patch: 'delete' }, { name: 'Y' }] }] }),
  podPatch({ volumes: [{ name: 'data', $retainKeys: ['name', 'configMap'], configMap: { name: 'c' } }] }),
  podPatch({ volumes: [{ name: 'more', emptyDir: { medium: null } }] }),
  podPatch({ tolerations: [{ key: 'c', value: null }] }),
  podPatch({ securityContext: { runAsUser: null, seccompProfile: { $patch: 'replace', type: 'x' } } }),
  podPatch({ '$setElementOrder/containers': [{ name: 'last' }, { name: 'log' }, { name: 'app' }] }),
  podPatch({
    '$setElementOrder/containers': [{ name: 'app' }, { name: 'log' }, { name: 'last' }, { name: 'mittens' }],
    containers: [{ name: 'mittens', image: 'm' }],
  }),
  podPatch({
    '$setElementOrder/containers': [{ name: 'app' }, { name: 'mittens' }],
    containers: [{ name: 'mittens', image: 'm' }],
  }),
  podPatch({
    '$setElementOrder/containers': [{ name: 'log' }, { name: 'app' }],
    containers: [
      { name: 'log', image: 'l' },
      { name: 'app', image: 'a' },
    ],
  }),
  podPatch({
    '$setElementOrder/containers': [{ name: 'app' }, { name: 'log' }],
    containers: [
      { name: 'log', image: 'l' },
      { name: 'app', image: 'a' },
    ],
  }),
  podPatch({
    '$setElementOrder/containers': [{ name: 'last' }, { name: 'app' }],
    containers: [{ name: 'log', $patch: 'delete' }],
  }),
  podPatch({
    '$setElementOrder/initContainers': [{ name: 'a' }],
    initContainers: [{ name: 'a', image: null }],
  }),
  podPatch({ '$setElementOrder/initContainers': [{ name: 'a' }] }),
];

const OF_SERVICE: object[] = [
  { spec: { ports: [{ port: 80, targetPort: 7777 }] } },
  { spec: { ports: [{ port: 82, name: 'new' }] } },
  { spec: { ports: [{ port: 80, $patch: 'delete' }] } },
  { spec: { ports: [{ name: 'http', targetPort: 7777 }] } },
  { spec: { selector: null } },
  { spec: { selector: { app: null, tier: 'shop' } } },
];

const MERGE: object[] = [
  {},
  { spec: { replicas: null, template: { spec: { containers: [{ name: 'only' }] } } } },
  { metadata: { labels: { a: null, c: '3' }, annotations: { x: null } } },
  { spec: { strategy: { rollingUpdate: null, type: 'Recreate' } } },
  { spec: { template: { spec: { new: { deep: { null: null, list: [{ a: null }] } } } } } },
  { spec: { replicas: { now: { a: 'map' } } } },
  { spec: { list: [null, { a: null, b: [null, { c: null }] }, [null], 1] } },
];

const CONTAINERS = '/spec/template/spec/containers';
const JSON_PATCHES: object[][] = [
  [],
  [
    { op: 'test', path: '/spec/replicas', value: 2 },
    { op: 'replace', path: '/spec/replicas', value: 3 },
  ],
  [
    { op: 'replace', path: '/spec/replicas', value: 3 },
    { op: 'test', path: '/spec/replicas', value: 2 },
  ],
  [
    { op: 'test', path: `${CONTAINERS}/0/args`, value: ['one', 'two'] },
    { op: 'remove', path: `${CONTAINERS}/0/args/0` },
  ],
  [{ op: 'test', path: `${CONTAINERS}/0/args`, value: ['two', 'one'] }],
  [
    { op: 'add', path: `${CONTAINERS}/-`, value: { name: 'end' } },
    { op: 'add', path: `${CONTAINERS}/0`, value: { name: 'first' } },
  ],
  [
    { op: 'add', path: '/metadata/annotations', value: {} },
    { op: 'add', path: '/metadata/annotations/a.b~1c~0d', value: 'x' },
  ],
  [{ op: 'remove', path: '/metadata/labels/nobody' }],
  [{ op: 'replace', path: '/metadata/labels/nobody', value: 'x' }],
  [{ op: 'add', path: '/metadata/nobody/x', value: 'x' }],
  [{ op: 'remove', path: `${CONTAINERS}/9` }],
  [
    { op: 'copy', from: '/metadata/labels/a', path: '/metadata/labels/z' },
    { op: 'move', from: '/metadata/labels/b', path: '/metadata/labels/y' },
  ],
  [{ op: 'test', path: '/spec/nobody', value: null }],
  [{ op: 'test', path: '/spec/nobody/x', value: null }],
  [{ op: 'test', path: '/spec/nobody', value: 1 }],
  [{ op: 'test', path: '/spec/replicas', value: null }],
  [{ op: 'replace', path: `${CONTAINERS}/9`, value: {} }],
  [{ op: 'bogus', path: '/spec' }],
];

/** Reproducible pseudo-random numbers. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

/** A random selection of names, in random order. */
function some(roll: (sides: number) => number, names: string[]): string[] {
  const picked = names.filter(() => roll(2) === 0).map((name) => ({ name, at: roll(1000) }));
  return picked.sort((a, b) => a.at - b.at).map(({ name }) => name);
}

/** A random patch of containers that changes, adds, deletes and sorts. */
function randomPatch(seed: number): object {
  const roll = dice(seed);
  const containers = some(roll, ['app', 'log', 'last', 'new', 'newer']).map((name) => {
    const kind = roll(4);
    if (kind === 0) return { name, $patch: 'delete' };
    const env = some(roll, ['A', 'B', 'C']).map((name) =>
      roll(3) === 0 ? { name, $patch: 'delete' } : { name, value: 'x' },
    );
    return { name, ...(kind === 1 ? { image: `image:${roll(9)}` } : { env }) };
  });
  // The patch's items must be in this order; others may be between them.
  const others = some(roll, ['app', 'log', 'last']).filter(
    (name) => !containers.some((one) => one.name === name),
  );
  const order = containers.filter((one) => !('$patch' in one)).map(({ name }) => ({ name }));
  for (const name of others) order.splice(roll(order.length + 1), 0, { name });
  return podPatch({
    ...(roll(2) === 0 && { '$setElementOrder/containers': order }),
    ...(roll(5) > 0 && { containers }),
  });
}

describe('the pocket cluster applies a patch as kubectl does', () => {
  it('strategic merge of a workload', () =>
    inParallel(STRATEGIC, (patch) => agrees('strategic', DEPLOYMENT, patch)));

  it('strategic merge of a Service', () =>
    inParallel(OF_SERVICE, (patch) => agrees('strategic', SERVICE, patch)));

  it('strategic merge at random', () => {
    const patches = Array.from({ length: 40 }, (_, seed) => randomPatch(seed));
    return inParallel(patches, (patch) => agrees('strategic', DEPLOYMENT, patch));
  });

  it('merge patch', () => inParallel(MERGE, (patch) => agrees('merge', DEPLOYMENT, patch)));

  it('JSON patch', () => inParallel(JSON_PATCHES, (patch) => agrees('json', DEPLOYMENT, patch)));
});

describe('a patch', () => {
  it("whose test fails is refused with Kubernetes' message", () => {
    const { error } = ours('json', SERVICE, [{ op: 'test', path: '/kind', value: 'Pod' }]);
    assert.equal(error, 'the server rejected our request due to an error in our request');
  });

  it('that is not an object or a list is refused', () => {
    assert.match(
      ours('json', SERVICE, {}).error ?? '',
      /cannot unmarshal object into Go value of type jsonpatch/,
    );
    assert.match(ours('merge', SERVICE, []).error ?? '', /cannot unmarshal array into Go value/);
  });

  it('of another type is refused, and so is server-side apply', () => {
    const [resource] = resources;
    assert.ok(resource);
    const refused = (type: string, code: number) =>
      assert.throws(() => applyPatch(type, resource, SERVICE as unknown as KubeObject, {}), { code });
    refused('application/json', 415);
    refused('application/apply-patch+yaml', 501);
  });
});
