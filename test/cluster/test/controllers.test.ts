import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../src/controllers/controller.ts';
import { controllers } from '../src/controllers/index.ts';
import { type KubeObject, now } from '../src/objects/object.ts';
import { formatQuantity, parseQuantity } from '../src/objects/quantity.ts';
import { Registry } from '../src/store/registry.ts';

const NAMESPACE = 'test';

/** A pod of this image never becomes ready. */
const BROKEN = 'broken:1';

/** A stand-in for the kubelet: makes scheduled pods ready, and removes deleted ones. */
function runKubelet(registry: Registry): void {
  let pods = 0;
  const resource = registry.resource('pods');
  registry.store.subscribe(({ type, resource: { plural }, object, old }) => {
    if (plural !== 'pods' || type === 'DELETED') return;
    const { deletionTimestamp, finalizers } = object.metadata;
    if (deletionTimestamp && !old?.metadata.deletionTimestamp && !finalizers)
      setTimeout(() => registry.store.remove(resource, object), 5);
    else if (object.spec.nodeName && !old?.spec.nodeName) setTimeout(() => start(object, ++pods), 5);
  });

  function start(pod: KubeObject, number: number): void {
    const ready = pod.spec.containers[0].image !== BROKEN;
    const condition = { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: now() };
    const change = (draft: KubeObject) => {
      const conditions = [...(draft.status.conditions ?? []), condition];
      draft.status = { phase: 'Running', podIP: `10.244.0.${number}`, conditions };
    };
    registry.modify('pods', pod, change, { subresource: 'status' });
  }
}

/** A cluster without an API server and processes. It is emptied after the test, so that no timer stays. */
function begin(t: TestContext): Registry {
  const registry = new Registry();
  runKubelet(registry);
  for (const controller of controllers) run(controller, registry);
  const node = registry.create('nodes', { metadata: { name: 'pocket', labels: { disk: 'ssd' } } });
  const allocatable = { cpu: '4', memory: '8Gi' };
  const status = { subresource: 'status' } as const;
  registry.modify('nodes', node, (draft) => Object.assign(draft, { status: { allocatable } }), status);
  const namespace = registry.create('namespaces', { metadata: { name: NAMESPACE } });
  t.after(async () => {
    if (!registry.find('namespaces', undefined, NAMESPACE)) return;
    registry.delete('namespaces', namespace);
    await until('the namespace is gone', () => !registry.find('namespaces', undefined, NAMESPACE));
  });
  return registry;
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + 5000; !isSo(); await sleep(2))
    if (Date.now() > end) throw new Error(`in 5 s it did not come true that ${what}`);
}

/** Waits until nothing changes any more. */
async function settle(registry: Registry): Promise<void> {
  for (let version = -1; version !== registry.store.version; await sleep(60))
    version = registry.store.version;
}

/** Records a value at every change of an object. */
function watch<T>(registry: Registry, see: () => T): T[] {
  const seen: T[] = [];
  registry.store.subscribe(() => seen.push(see()));
  return seen;
}

type Fields = Record<string, unknown>;

function container(fields: Fields = {}): Fields {
  return { name: 'app', image: 'app:1', ports: [{ name: 'http', containerPort: 8080 }], ...fields };
}

function make(
  registry: Registry,
  plural: string,
  name: string,
  spec: Fields = {},
  fields: Fields = {},
): KubeObject {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [container(fields)] } };
  const metadata = { name, namespace: NAMESPACE };
  return registry.create(plural, {
    metadata,
    spec: { selector: { matchLabels: labels }, template, ...spec },
  });
}

function get(registry: Registry, plural: string, name: string): KubeObject {
  const found = registry.find(plural, NAMESPACE, name);
  assert.ok(found, `there is no ${name} among the ${plural}`);
  return found;
}

function change(
  registry: Registry,
  plural: string,
  name: string,
  edit: (spec: KubeObject['spec']) => void,
): void {
  registry.modify(plural, get(registry, plural, name), ({ spec }) => edit(spec));
}

function setImage(registry: Registry, plural: string, name: string, image: string): void {
  change(registry, plural, name, ({ template }) => {
    template.spec.containers[0].image = image;
  });
}

function pods(registry: Registry): KubeObject[] {
  return registry.list('pods', NAMESPACE);
}

function names(objects: KubeObject[]): string[] {
  return objects.map(({ metadata }) => metadata.name);
}

function isReady({ status, metadata }: KubeObject): boolean {
  const conditions: Fields[] = status?.conditions ?? [];
  return (
    !metadata.deletionTimestamp && conditions.some((one) => one.type === 'Ready' && one.status === 'True')
  );
}

function readyCount(registry: Registry): number {
  return pods(registry).filter(isReady).length;
}

/** Whether a rollout is complete, as `kubectl rollout status` decides. */
function isRolledOut(registry: Registry, name = 'web'): boolean {
  const { metadata, spec, status = {} } = get(registry, 'deployments', name);
  const counts = [status.updatedReplicas ?? 0, status.replicas ?? 0, status.availableReplicas ?? 0];
  return (
    status.observedGeneration === metadata.generation && counts.every((count) => count === spec.replicas)
  );
}

async function rolledOut(registry: Registry, name = 'web'): Promise<void> {
  await until(`${name} has rolled out`, () => isRolledOut(registry, name));
}

function condition(object: KubeObject, type: string): Fields | undefined {
  return object.status?.conditions?.find((one: Fields) => one.type === type);
}

function events(registry: Registry, kind: string): string[] {
  return registry
    .list('events', NAMESPACE)
    .filter(({ involvedObject }) => involvedObject.kind === kind)
    .map(({ reason, message }) => `${reason}: ${message}`);
}

const REVISION = 'deployment.kubernetes.io/revision';

describe('a Deployment', () => {
  it('makes a ReplicaSet and its pods, and reports when they are available', async (t) => {
    const registry = begin(t);
    make(registry, 'deployments', 'web', { replicas: 2 });
    await rolledOut(registry);
    await settle(registry);
    const web = get(registry, 'deployments', 'web');
    const [set] = registry.list('replicasets', NAMESPACE);
    assert.match(set?.metadata.name ?? '', /^web-[a-z0-9]{8,10}$/);
    assert.ok(names(pods(registry)).every((name) => name.startsWith(`${set?.metadata.name}-`)));
    const { conditions, ...counts } = web.status;
    assert.deepEqual(counts, {
      ...{ observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 },
    });
    assert.equal(web.metadata.annotations?.[REVISION], '1');
    const progress = condition(web, 'Progressing');
    assert.equal(progress?.reason, 'NewReplicaSetAvailable');
    assert.equal(progress?.message, `ReplicaSet "${set?.metadata.name}" has successfully progressed.`);
    assert.equal(condition(web, 'Available')?.status, 'True');
    assert.deepEqual(set?.metadata.annotations, {
      [REVISION]: '1',
      'deployment.kubernetes.io/desired-replicas': '2',
      'deployment.kubernetes.io/max-replicas': '3',
    });
  });

  it('keeps old pods until new ones are ready', async (t) => {
    const registry = begin(t);
    const strategy = { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
    make(registry, 'deployments', 'web', { replicas: 3, strategy });
    await rolledOut(registry);
    const seen = watch(registry, () => [
      readyCount(registry),
      names(pods(registry).filter((pod) => !pod.metadata.deletionTimestamp)).length,
    ]);
    setImage(registry, 'deployments', 'web', 'app:2');
    await rolledOut(registry);
    assert.equal(Math.min(...seen.map(([ready]) => ready ?? 0)), 3);
    assert.equal(Math.max(...seen.map(([, all]) => all ?? 0)), 4);
    assert.ok(
      pods(registry)
        .filter(isReady)
        .every(({ spec }) => spec.containers[0].image === 'app:2'),
    );
  });

  it('keeps the old pods when the new version fails, and reports that after its progress deadline', async (t) => {
    const registry = begin(t);
    make(registry, 'deployments', 'web', { replicas: 4, progressDeadlineSeconds: 1, minReadySeconds: 0 });
    await rolledOut(registry);
    setImage(registry, 'deployments', 'web', BROKEN);
    const reason = () => condition(get(registry, 'deployments', 'web'), 'Progressing')?.reason;
    await until('the deadline is over', () => reason() === 'ProgressDeadlineExceeded');
    const { status } = get(registry, 'deployments', 'web');
    assert.deepEqual(
      [status.availableReplicas, status.updatedReplicas, status.unavailableReplicas],
      [3, 2, 2],
    );
    assert.equal(readyCount(registry), 3);
    setImage(registry, 'deployments', 'web', 'app:1');
    await rolledOut(registry);
    await until('it is said', () => reason() === 'NewReplicaSetAvailable');
  });

  it('reuses the old ReplicaSet when its template returns', async (t) => {
    const registry = begin(t);
    make(registry, 'deployments', 'web', { replicas: 2 });
    await rolledOut(registry);
    const [first] = names(registry.list('replicasets', NAMESPACE));
    setImage(registry, 'deployments', 'web', 'app:2');
    await rolledOut(registry);
    setImage(registry, 'deployments', 'web', 'app:1');
    await rolledOut(registry);
    const sets = registry.list('replicasets', NAMESPACE);
    assert.equal(sets.length, 2);
    const again = sets.find(({ spec }) => spec.replicas === 2);
    assert.equal(again?.metadata.name, first);
    assert.equal(again?.metadata.annotations?.[REVISION], '3');
    assert.equal(again?.metadata.annotations?.['deployment.kubernetes.io/revision-history'], '1');
    assert.equal(get(registry, 'deployments', 'web').metadata.annotations?.[REVISION], '3');
  });

  it('with strategy Recreate deletes all old pods before it makes new ones', async (t) => {
    const registry = begin(t);
    make(registry, 'deployments', 'web', { replicas: 2, strategy: { type: 'Recreate' } });
    await rolledOut(registry);
    const seen = watch(
      registry,
      () => new Set(pods(registry).map(({ spec }) => spec.containers[0].image)).size,
    );
    setImage(registry, 'deployments', 'web', 'app:2');
    await rolledOut(registry);
    assert.equal(Math.max(...seen), 1, 'old and new pods were there at once');
    assert.ok(seen.includes(0));
  });

  it('scales up and down without a new revision', async (t) => {
    const registry = begin(t);
    make(registry, 'deployments', 'web', { replicas: 1 });
    await rolledOut(registry);
    for (const replicas of [4, 0, 2]) {
      change(registry, 'deployments', 'web', (spec) => Object.assign(spec, { replicas }));
      await rolledOut(registry);
      await until('the pods are as many', () => pods(registry).length === replicas);
    }
    assert.equal(registry.list('replicasets', NAMESPACE).length, 1);
    const [set] = names(registry.list('replicasets', NAMESPACE));
    const told = events(registry, 'Deployment');
    assert.ok(told.includes(`ScalingReplicaSet: Scaled up replica set ${set} from 1 to 4`));
    assert.ok(told.includes(`ScalingReplicaSet: Scaled down replica set ${set} from 4 to 0`));
  });

  it('scales while it is paused, but does not roll out', async (t) => {
    const registry = begin(t);
    make(registry, 'deployments', 'web', { replicas: 1 });
    await rolledOut(registry);
    change(registry, 'deployments', 'web', (spec) => Object.assign(spec, { paused: true, replicas: 2 }));
    setImage(registry, 'deployments', 'web', 'app:2');
    await until('there are two', () => readyCount(registry) === 2);
    await settle(registry);
    assert.ok(pods(registry).every(({ spec }) => spec.containers[0].image === 'app:1'));
    assert.equal(condition(get(registry, 'deployments', 'web'), 'Progressing')?.reason, 'DeploymentPaused');
    change(registry, 'deployments', 'web', (spec) => Object.assign(spec, { paused: false }));
    await rolledOut(registry);
    await until('all are new', () =>
      pods(registry).every(({ spec }) => spec.containers[0].image === 'app:2'),
    );
  });

  it('scales up from zero while it is paused, with the old template', async (t) => {
    const registry = begin(t);
    make(registry, 'deployments', 'web', { replicas: 1 });
    await rolledOut(registry);
    change(registry, 'deployments', 'web', (spec) => Object.assign(spec, { paused: true, replicas: 0 }));
    setImage(registry, 'deployments', 'web', 'app:2');
    await until('there are none', () => pods(registry).length === 0);
    change(registry, 'deployments', 'web', (spec) => Object.assign(spec, { replicas: 2 }));
    await until('there are two', () => readyCount(registry) === 2);
    assert.ok(pods(registry).every(({ spec }) => spec.containers[0].image === 'app:1'));
  });

  it('counts a pod as available only after minReadySeconds', async (t) => {
    const registry = begin(t);
    make(registry, 'deployments', 'web', { replicas: 1, minReadySeconds: 1 });
    await until('it is ready', () => get(registry, 'deployments', 'web').status?.readyReplicas === 1);
    assert.equal(get(registry, 'deployments', 'web').status.availableReplicas, undefined);
    await rolledOut(registry);
  });

  it('deletes the oldest ReplicaSets beyond revisionHistoryLimit', async (t) => {
    const registry = begin(t);
    make(registry, 'deployments', 'web', { replicas: 1, revisionHistoryLimit: 1 });
    for (const image of ['app:2', 'app:3', 'app:4']) {
      await rolledOut(registry);
      setImage(registry, 'deployments', 'web', image);
    }
    await until(
      'two are left',
      () => isRolledOut(registry) && registry.list('replicasets', NAMESPACE).length === 2,
    );
    const images = registry
      .list('replicasets', NAMESPACE)
      .map(({ spec }) => spec.template.spec.containers[0].image);
    assert.deepEqual(images.sort(), ['app:3', 'app:4']);
  });

  it('is deleted with its ReplicaSets and pods', async (t) => {
    const registry = begin(t);
    for (const name of ['gone', 'kept']) make(registry, 'deployments', name, { replicas: 1 });
    for (const name of ['gone', 'kept']) await rolledOut(registry, name);
    registry.delete('deployments', get(registry, 'deployments', 'gone'));
    await until('one pod is gone', () => pods(registry).length === 1);
    await settle(registry);
    assert.match(names(registry.list('replicasets', NAMESPACE)).join(), /^kept-[a-z0-9]+$/);
    assert.match(names(pods(registry)).join(), /^kept-/);
  });
});

describe('a ReplicaSet', () => {
  it('replaces pods that were deleted or have ended', async (t) => {
    const registry = begin(t);
    make(registry, 'replicasets', 'web', { replicas: 2 });
    await until('both are ready', () => readyCount(registry) === 2);
    const [one, two] = pods(registry) as [KubeObject, KubeObject];
    registry.delete('pods', one);
    const fail = (draft: KubeObject) => Object.assign(draft, { status: { phase: 'Failed' } });
    registry.modify('pods', two, fail, { subresource: 'status' });
    await until('two others are ready', () => readyCount(registry) === 2);
    assert.equal(pods(registry).length, 3);
    await until('it says so', () => get(registry, 'replicasets', 'web').status.readyReplicas === 2);
  });

  it('keeps its pods when its template changes, and uses the new template for new pods', async (t) => {
    const registry = begin(t);
    make(registry, 'replicasets', 'web', { replicas: 2 });
    await until('both are ready', () => readyCount(registry) === 2);
    const [kept = '', gone = ''] = names(pods(registry));
    setImage(registry, 'replicasets', 'web', 'app:2');
    await settle(registry);
    const image = (name: string) => registry.find('pods', NAMESPACE, name)?.spec.containers[0].image;
    assert.deepEqual([image(kept), image(gone)], ['app:1', 'app:1']);
    registry.delete('pods', get(registry, 'pods', gone));
    await until(
      'there is a new pod',
      () => readyCount(registry) === 2 && !names(pods(registry)).includes(gone),
    );
    assert.deepEqual(
      pods(registry)
        .map(({ spec }) => spec.containers[0].image)
        .sort(),
      ['app:1', 'app:2'],
    );
    assert.equal(image(kept), 'app:1');
  });

  it('releases a pod whose labels no longer match, replaces it, and adopts it again', async (t) => {
    const registry = begin(t);
    make(registry, 'replicasets', 'web', { replicas: 1 });
    await until('it is ready', () => readyCount(registry) === 1);
    const [pod] = pods(registry);
    assert.ok(pod);
    const label = (app: string) =>
      registry.modify('pods', pod, ({ metadata }) => Object.assign(metadata, { labels: { app } }));
    label('aside');
    await until('there is a new pod', () => readyCount(registry) === 2);
    assert.equal(get(registry, 'pods', pod.metadata.name).metadata.ownerReferences, undefined);
    label('web');
    await until('one is too many', () => pods(registry).length === 1);
    assert.equal(pods(registry)[0]?.metadata.ownerReferences?.[0]?.name, 'web');
  });

  it('deletes pods that are not ready first', async (t) => {
    const registry = begin(t);
    make(registry, 'replicasets', 'web', { replicas: 2 });
    await until('both are ready', () => readyCount(registry) === 2);
    const kept = names(pods(registry)).sort();
    setImage(registry, 'replicasets', 'web', BROKEN);
    change(registry, 'replicasets', 'web', (spec) => Object.assign(spec, { replicas: 4 }));
    await until('all run', () => pods(registry).filter(({ status }) => status.podIP).length === 4);
    change(registry, 'replicasets', 'web', (spec) => Object.assign(spec, { replicas: 2 }));
    await until('two are gone', () => pods(registry).length === 2);
    assert.deepEqual(names(pods(registry)).sort(), kept);
  });
});

describe('a StatefulSet', () => {
  const order = (registry: Registry) => watch(registry, () => names(pods(registry)).join());

  it('makes its pods one after another, each when the previous one is ready', async (t) => {
    const registry = begin(t);
    const seen = watch(registry, () => `${pods(registry).length} ${readyCount(registry)}`);
    make(registry, 'statefulsets', 'db', { replicas: 3, serviceName: 'db' });
    await until('all are ready', () => get(registry, 'statefulsets', 'db').status?.readyReplicas === 3);
    assert.deepEqual(names(pods(registry)), ['db-0', 'db-1', 'db-2']);
    for (const wrong of ['2 0', '3 0', '3 1']) assert.ok(!seen.includes(wrong), wrong);
    const [pod] = pods(registry);
    assert.equal(pod?.spec.hostname, 'db-0');
    assert.equal(pod?.metadata.labels?.['apps.kubernetes.io/pod-index'], '0');
    assert.equal(pod?.metadata.labels?.['statefulset.kubernetes.io/pod-name'], 'db-0');
  });

  it('makes all pods at once with policy Parallel', async (t) => {
    const registry = begin(t);
    const seen = watch(registry, () => `${pods(registry).length} ${readyCount(registry)}`);
    make(registry, 'statefulsets', 'db', { replicas: 3, serviceName: 'db', podManagementPolicy: 'Parallel' });
    await until('all are ready', () => readyCount(registry) === 3);
    assert.ok(seen.includes('3 0'));
  });

  it('updates its pods from the last to the first, and reports its revisions', async (t) => {
    const registry = begin(t);
    make(registry, 'statefulsets', 'db', { replicas: 3, serviceName: 'db' });
    await until('all are ready', () => get(registry, 'statefulsets', 'db').status?.readyReplicas === 3);
    const before = get(registry, 'statefulsets', 'db').status.currentRevision;
    const seen = order(registry);
    const ready = watch(registry, () => readyCount(registry));
    setImage(registry, 'statefulsets', 'db', 'app:2');
    const status = () => get(registry, 'statefulsets', 'db').status;
    await until('it is done', () => status().currentRevision !== before);
    const gaps = [...new Set(seen)].filter((one) => one.split(',').length < 3);
    assert.deepEqual(gaps, ['db-0,db-1', 'db-0,db-2', 'db-1,db-2']);
    assert.equal(Math.min(...ready), 2);
    const { currentRevision, updateRevision, ...counts } = status();
    assert.equal(currentRevision, updateRevision);
    assert.deepEqual(counts, {
      ...{ observedGeneration: 2, replicas: 3, readyReplicas: 3, currentReplicas: 3, updatedReplicas: 3 },
      ...{ availableReplicas: 3, collisionCount: 0 },
    });
  });

  it('keeps pods below the partition at the old template, even when they are recreated', async (t) => {
    const registry = begin(t);
    const updateStrategy = { rollingUpdate: { partition: 1 } };
    make(registry, 'statefulsets', 'db', { replicas: 2, serviceName: 'db', updateStrategy });
    await until('both are ready', () => get(registry, 'statefulsets', 'db').status?.readyReplicas === 2);
    setImage(registry, 'statefulsets', 'db', 'app:2');
    const images = () =>
      pods(registry)
        .filter(isReady)
        .map(({ spec }) => spec.containers[0].image)
        .join();
    await until('one is new', () => images() === 'app:1,app:2');
    const old = get(registry, 'pods', 'db-0');
    registry.delete('pods', old);
    await until(
      'it is back',
      () => images() === 'app:1,app:2' && get(registry, 'pods', 'db-0').metadata.uid !== old.metadata.uid,
    );
    await settle(registry);
    const { currentReplicas, updatedReplicas, currentRevision, updateRevision } = get(
      registry,
      'statefulsets',
      'db',
    ).status;
    assert.deepEqual([currentReplicas, updatedReplicas], [1, 1]);
    assert.notEqual(currentRevision, updateRevision);
  });

  it('with strategy OnDelete updates a pod only when someone deletes it', async (t) => {
    const registry = begin(t);
    make(registry, 'statefulsets', 'db', {
      replicas: 1,
      serviceName: 'db',
      updateStrategy: { type: 'OnDelete' },
    });
    await until('it is ready', () => readyCount(registry) === 1);
    setImage(registry, 'statefulsets', 'db', 'app:2');
    await settle(registry);
    assert.equal(get(registry, 'pods', 'db-0').spec.containers[0].image, 'app:1');
    registry.delete('pods', get(registry, 'pods', 'db-0'));
    await until(
      'it is new',
      () => registry.find('pods', NAMESPACE, 'db-0')?.spec.containers[0].image === 'app:2',
    );
  });

  it('scales down from the last pod, one at a time', async (t) => {
    const registry = begin(t);
    make(registry, 'statefulsets', 'db', { replicas: 3, serviceName: 'db' });
    await until('all are ready', () => readyCount(registry) === 3);
    const seen = order(registry);
    change(registry, 'statefulsets', 'db', (spec) => Object.assign(spec, { replicas: 0 }));
    await until('all are gone', () => pods(registry).length === 0);
    assert.deepEqual([...new Set(seen)], ['db-0,db-1,db-2', 'db-0,db-1', 'db-0', '']);
  });
});

describe('a DaemonSet', () => {
  it('runs one pod on the node, and deletes it before it replaces it', async (t) => {
    const registry = begin(t);
    make(registry, 'daemonsets', 'agent');
    await until('it is ready', () => get(registry, 'daemonsets', 'agent').status?.numberAvailable === 1);
    const seen = watch(registry, () => pods(registry).length);
    setImage(registry, 'daemonsets', 'agent', 'app:2');
    const status = () => get(registry, 'daemonsets', 'agent').status;
    await until('it is seen', () => status().observedGeneration === 2);
    await until('it is new', () => status().updatedNumberScheduled === 1 && status().numberAvailable === 1);
    assert.equal(Math.max(...seen), 1);
    assert.deepEqual(status(), {
      ...{ currentNumberScheduled: 1, desiredNumberScheduled: 1, numberMisscheduled: 0, numberReady: 1 },
      ...{ observedGeneration: 2, updatedNumberScheduled: 1, numberAvailable: 1 },
    });
  });
});

describe('a DaemonSet with OnDelete', () => {
  it('keeps its pod when its template changes, until someone deletes it', async (t) => {
    const registry = begin(t);
    make(registry, 'daemonsets', 'agent', { updateStrategy: { type: 'OnDelete' } });
    await until('it is ready', () => readyCount(registry) === 1);
    const [old] = pods(registry);
    assert.ok(old);
    setImage(registry, 'daemonsets', 'agent', 'app:2');
    await settle(registry);
    assert.deepEqual(names(pods(registry)), [old.metadata.name]);
    const { status } = get(registry, 'daemonsets', 'agent');
    assert.deepEqual([status.numberReady, status.updatedNumberScheduled], [1, undefined]);
    registry.delete('pods', old);
    await until('it is new', () => pods(registry)[0]?.spec.containers[0].image === 'app:2');
  });
});

describe('quotas', () => {
  const requests = (cpu: string) => ({ resources: { requests: { cpu } } });

  function limit(registry: Registry, hard: Fields): KubeObject {
    return registry.create('resourcequotas', {
      metadata: { name: 'small', namespace: NAMESPACE },
      spec: { hard },
    });
  }

  it("refuse pods, and report the API server's message in events and conditions", async (t) => {
    const registry = begin(t);
    const quota = limit(registry, { 'requests.cpu': '1', pods: '4' });
    make(registry, 'deployments', 'web', { replicas: 1 }, requests('20m'));
    await rolledOut(registry);
    change(registry, 'deployments', 'web', ({ template }) =>
      Object.assign(template.spec.containers[0], requests('2')),
    );
    const failure = () => condition(get(registry, 'deployments', 'web'), 'ReplicaFailure');
    await until('it is refused', () => failure() !== undefined);
    await settle(registry);
    const words =
      /pods "web-\w+-\w+" is forbidden: exceeded quota: small, requested: requests.cpu=2, used: requests.cpu=20m, limited: requests.cpu=1$/;
    assert.match(String(failure()?.message), words);
    assert.equal(failure()?.reason, 'FailedCreate');
    assert.match(
      events(registry, 'ReplicaSet')
        .filter((event) => event.startsWith('FailedCreate: Error creating: pods '))
        .join(),
      words,
    );
    assert.equal(readyCount(registry), 1);
    assert.equal(get(registry, 'deployments', 'web').status.unavailableReplicas, 1);
    const hard = { 'requests.cpu': '1', pods: '4' };
    assert.deepEqual(get(registry, 'resourcequotas', 'small').status, {
      hard,
      used: { 'requests.cpu': '20m', pods: '1' },
    });
    registry.delete('resourcequotas', quota);
    await rolledOut(registry);
    await until('the failure is over', () => failure() === undefined);
  });

  it("refuse a StatefulSet's pod with an event that names it, and admit it later", async (t) => {
    const registry = begin(t);
    const quota = limit(registry, { 'requests.cpu': '1', 'limits.memory': '1Gi' });
    make(registry, 'statefulsets', 'db', { replicas: 1, serviceName: 'db' });
    await until('it is refused', () => events(registry, 'StatefulSet').length > 0);
    assert.deepEqual(events(registry, 'StatefulSet'), [
      'FailedCreate: create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: failed quota: small: must specify limits.memory,requests.cpu',
    ]);
    registry.delete('resourcequotas', quota);
    await until('it is there', () => readyCount(registry) === 1);
  });

  it('are parsed and formatted with their units', () => {
    assert.deepEqual(['250m', '1Ki', '2', '1e3', '64Mi'].map(parseQuantity), [0.25, 1024, 2, 1000, 67108864]);
    assert.equal(formatQuantity(0.02, 'requests.cpu'), '20m');
    assert.equal(formatQuantity(64 * 2 ** 20, 'memory'), '64Mi');
  });
});

describe('endpoints', () => {
  const service = (registry: Registry, spec: Fields) =>
    registry.create('services', {
      metadata: { name: 'web', namespace: NAMESPACE, labels: { own: 'x' } },
      spec,
    });
  const addresses = (registry: Registry) =>
    (registry.find('endpoints', NAMESPACE, 'web')?.subsets ?? []).flatMap((subset: KubeObject) =>
      (subset.addresses ?? []).map(({ ip }: Fields) => `${ip}:${subset.ports[0].port}`),
    );
  const slices = (registry: Registry) => registry.list('endpointslices', NAMESPACE);

  it('follow the pods, and resolve a targetPort by name', async (t) => {
    const registry = begin(t);
    service(registry, { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] });
    make(registry, 'replicasets', 'web', { replicas: 2 });
    await until('there are two', () => addresses(registry).length === 2);
    assert.ok(addresses(registry).every((address: string) => /^10\.244\.0\.\d+:8080$/.test(address)));
    change(registry, 'services', 'web', ({ ports }) => Object.assign(ports[0], { targetPort: 9000 }));
    await until('the port is another', () =>
      addresses(registry).every((address: string) => address.endsWith(':9000')),
    );
    assert.equal(slices(registry)[0]?.ports[0].port, 9000);
    assert.equal(slices(registry)[0]?.metadata.labels?.['kubernetes.io/service-name'], 'web');
    assert.equal(slices(registry)[0]?.metadata.labels?.own, 'x');
    registry.delete('services', get(registry, 'services', 'web'));
    await until(
      'they are gone',
      () => slices(registry).length === 0 && !registry.find('endpoints', NAMESPACE, 'web'),
    );
  });

  it("follow the pods' labels and the Service's selector at once", async (t) => {
    const registry = begin(t);
    service(registry, { selector: { app: 'web' }, ports: [{ port: 80 }] });
    const bare = (name: string, app: string) =>
      registry.create('pods', {
        metadata: { name, namespace: NAMESPACE, labels: { app } },
        spec: { containers: [container()] },
      });
    const web = bare('web', 'web');
    bare('other', 'other');
    await until('both are ready', () => readyCount(registry) === 2);
    const has = (...pods: string[]) => {
      const targets = (registry.find('endpoints', NAMESPACE, 'web')?.subsets ?? []).flatMap(
        ({ addresses }: KubeObject) => addresses.map(({ targetRef }: KubeObject) => targetRef.name),
      );
      return targets.sort().join() === pods.join();
    };
    await until('the one is there', () => has('web'));
    const label = (app: string) =>
      registry.modify('pods', web, ({ metadata }) => Object.assign(metadata, { labels: { app } }));
    label('other');
    await until('none is there', () => has());
    change(registry, 'services', 'web', (spec) => Object.assign(spec, { selector: { app: 'other' } }));
    await until('both are there', () => has('other', 'web'));
    label('web');
    await until('the other is there', () => has('other'));
  });

  it('drop a pod as soon as its deletion begins, and list pods that are not ready separately', async (t) => {
    const registry = begin(t);
    service(registry, { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] });
    make(registry, 'replicasets', 'web', { replicas: 1 });
    await until('there is one', () => addresses(registry).length === 1);
    const [pod] = pods(registry) as [KubeObject];
    setImage(registry, 'replicasets', 'web', BROKEN);
    // A finalizer keeps it, like a pod that takes long to end.
    const hold = (finalizers: string[]) =>
      registry.modify('pods', pod, ({ metadata }) => Object.assign(metadata, { finalizers }));
    hold(['test/hold']);
    registry.delete('pods', pod);
    await until('it is out', () => addresses(registry).length === 0);
    const own = slices(registry)[0]?.endpoints?.find(
      ({ targetRef }: KubeObject) => targetRef.uid === pod.metadata.uid,
    );
    assert.deepEqual(own?.conditions, { ready: false, serving: true, terminating: true });
    hold([]);
    await until(
      'the other is in',
      () => get(registry, 'endpoints', 'web').subsets?.[0]?.notReadyAddresses?.length === 1,
    );
    change(registry, 'services', 'web', (spec) => Object.assign(spec, { publishNotReadyAddresses: true }));
    await until('it is published', () => addresses(registry).length === 1);
  });

  it('of a Service without a selector stay as written, and are mirrored to an EndpointSlice', async (t) => {
    const registry = begin(t);
    service(registry, { ports: [{ port: 80 }] });
    const subsets = [{ addresses: [{ ip: '10.9.8.7' }], ports: [{ port: 81 }] }];
    registry.create('endpoints', { metadata: { name: 'web', namespace: NAMESPACE }, subsets });
    await until('there is a slice', () => slices(registry).length === 1);
    assert.deepEqual(addresses(registry), ['10.9.8.7:81']);
    assert.deepEqual(slices(registry)[0]?.endpoints, [
      { addresses: ['10.9.8.7'], conditions: { ready: true } },
    ]);
  });
});

describe('a namespace', () => {
  it('gets the default ServiceAccount and the ConfigMap with the certificate', async (t) => {
    const registry = begin(t);
    await until('they are there', () => !!registry.find('configmaps', NAMESPACE, 'kube-root-ca.crt'));
    get(registry, 'serviceaccounts', 'default');
  });

  it('is emptied when it is deleted, and then removed', async (t) => {
    const registry = begin(t);
    make(registry, 'deployments', 'web', { replicas: 2 });
    make(registry, 'statefulsets', 'db', { replicas: 1, serviceName: 'db' });
    await until('all are ready', () => readyCount(registry) === 3);
    const namespace = registry.find('namespaces', undefined, NAMESPACE) as KubeObject;
    registry.delete('namespaces', namespace);
    assert.equal(registry.find('namespaces', undefined, NAMESPACE)?.status.phase, 'Terminating');
    assert.throws(() => make(registry, 'deployments', 'late'), /because it is being terminated/);
    await until('it is gone', () => !registry.find('namespaces', undefined, NAMESPACE));
    for (const plural of ['pods', 'deployments', 'replicasets', 'configmaps', 'events'])
      assert.deepEqual(registry.list(plural, NAMESPACE), []);
  });
});

describe('the scheduler', () => {
  const pod = (registry: Registry, name: string, spec: Fields, fields: Fields = {}) =>
    registry.create('pods', {
      metadata: { name, namespace: NAMESPACE },
      spec: { ...spec, containers: [container(fields)] },
    });
  const unscheduled = (registry: Registry, name: string) =>
    condition(get(registry, 'pods', name), 'PodScheduled');

  it('lets a pod wait until the node has room', async (t) => {
    const registry = begin(t);
    const fields = { resources: { requests: { cpu: '3' } } };
    const first = pod(registry, 'first', {}, fields);
    await until('the first is ready', () => readyCount(registry) === 1);
    pod(registry, 'second', {}, fields);
    await until('the second waits', () => unscheduled(registry, 'second')?.status === 'False');
    const message = '0/1 nodes are available: 1 Insufficient cpu.';
    assert.equal(unscheduled(registry, 'second')?.message, message);
    assert.equal(unscheduled(registry, 'second')?.reason, 'Unschedulable');
    assert.ok(events(registry, 'Pod').includes(`FailedScheduling: ${message}`));
    registry.delete('pods', first);
    await until('the second is ready', () => readyCount(registry) === 1 && pods(registry).length === 1);
  });

  it('assigns no hostPort twice, and respects nodeSelector', async (t) => {
    const registry = begin(t);
    for (const name of ['one', 'two'])
      pod(registry, name, { hostNetwork: true, nodeSelector: { disk: 'ssd' } });
    pod(registry, 'far', { nodeSelector: { disk: 'tape' } });
    await until('two wait', () =>
      ['two', 'far'].every((name) => unscheduled(registry, name)?.status === 'False'),
    );
    const ports = "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.";
    assert.equal(unscheduled(registry, 'two')?.message, ports);
    assert.match(
      String(unscheduled(registry, 'far')?.message),
      /didn't match Pod's node affinity\/selector\.$/,
    );
  });
});

describe('the store', () => {
  it('reports every change to all listeners in order, including changes that a listener makes', () => {
    const registry = new Registry();
    const resource = registry.resource('namespaces');
    registry.store.subscribe(({ type, object }) => {
      if (type === 'ADDED') registry.store.update(resource, { ...object, status: { phase: 'Seen' } });
    });
    const heard: string[] = [];
    registry.store.subscribe(({ type, object }) => heard.push(`${type} ${object.status?.phase}`));
    registry.create('namespaces', { metadata: { name: 'a' } });
    assert.deepEqual(heard, ['ADDED Active', 'MODIFIED Seen']);
  });
});
