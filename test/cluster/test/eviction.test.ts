import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makePod, makeWorkload, Pocket } from './pocket.ts';

let pocket: Pocket;
before(async () => {
  pocket = await Pocket.start();
});
after(async () => await pocket?.stop());

type Fields = Record<string, unknown>;

function budget(name: string, app: string, spec: Fields): object {
  const selector = { matchLabels: { app } };
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name },
    spec: { selector, ...spec },
  };
}

const COUNTS = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'];

/** Waits for a budget's counts: allowed, healthy, desired, expected. */
async function counts(name: string, ...numbers: number[]): Promise<void> {
  const said = (status: Fields) => COUNTS.map((count) => status?.[count]).join(' ');
  await pocket.see('pdb', name, numbers.join(' '), ({ status }) => said(status) === numbers.join(' '));
}

async function listPods(app: string): Promise<string[]> {
  const { items } = JSON.parse(await pocket.run(['get', 'pods', '-l', `app=${app}`, '-o', 'json']));
  return items
    .filter(({ metadata }: { metadata: Fields }) => !metadata.deletionTimestamp)
    .map(({ metadata }: { metadata: { name: string } }) => metadata.name);
}

function evict(pod: string, how: 'run' | 'refuses' = 'run', more: Fields = {}, query = ''): Promise<string> {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod }, ...more };
  const path = `/api/v1/namespaces/default/pods/${pod}/eviction${query}`;
  return pocket[how](['create', '--raw', path, '-f', '-'], eviction);
}

async function post(pod: string) {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod } };
  return await pocket.post(`/api/v1/namespaces/default/pods/${pod}/eviction`, eviction);
}

const REFUSAL = "Cannot evict pod as it would violate the pod's disruption budget.";

describe('an eviction', () => {
  it('deletes a pod that no budget covers, and records the reason', async () => {
    await pocket.make(makePod('alone', {}, { finalizers: ['test/held'] }));
    await pocket.see('pod', 'alone', 'runs', ({ status }) => status.phase === 'Running');
    await evict('alone', 'run', { deleteOptions: { dryRun: ['All'] } });
    await evict('alone', 'run', {}, '?dryRun=All');
    assert.equal((await pocket.get('pod', 'alone')).metadata.deletionTimestamp, undefined);
    assert.equal(JSON.parse(await evict('alone')).status, 'Success');
    const { status, metadata } = await pocket.get('pod', 'alone');
    assert.ok(metadata.deletionTimestamp);
    const condition = status.conditions.find(({ type }: Fields) => type === 'DisruptionTarget');
    assert.deepEqual([condition.status, condition.reason], ['True', 'EvictionByEvictionAPI']);
    await pocket.run(['patch', 'pod', 'alone', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
  });

  it('is refused while the budget allows none, and allowed when enough pods are ready again', async () => {
    await pocket.make(
      makeWorkload('Deployment', 'web', { replicas: 2 }),
      budget('web', 'web', { minAvailable: 2 }),
    );
    await counts('web', 0, 2, 2, 2);
    const [pod = ''] = await listPods('web');
    const { message, code, reason, details } = await post(pod);
    assert.deepEqual([code, reason, message], [429, 'TooManyRequests', REFUSAL]);
    const [cause] = details.causes;
    assert.deepEqual(cause, {
      reason: 'DisruptionBudget',
      message: 'The disruption budget web needs 2 healthy pods and has 2 currently',
    });
    assert.match(
      await evict(pod, 'refuses'),
      new RegExp(`Error from server \\(TooManyRequests\\): ${REFUSAL}`),
    );
    assert.ok((await listPods('web')).includes(pod));
    await pocket.run(['scale', 'deployment', 'web', '--replicas=3']);
    await counts('web', 1, 3, 2, 3);
    // At once, before the replacement pod is ready and allows another eviction.
    const answers = await Promise.all((await listPods('web')).map((name) => post(name)));
    assert.deepEqual(answers.map(({ code }) => code).sort(), [201, 429, 429]);
    await counts('web', 1, 3, 2, 3);
    assert.match(await pocket.run(['get', 'pdb', 'web', '--no-headers']), /^web +2 +N\/A +1 /);
  });

  it("respects a percentage of the workload's replicas", async () => {
    await pocket.make(
      makeWorkload('StatefulSet', 'db', { replicas: 3, serviceName: 'db', podManagementPolicy: 'Parallel' }),
      budget('half', 'db', { minAvailable: '50%' }),
    );
    await counts('half', 1, 3, 2, 3);
    await pocket.run([
      'patch',
      'pdb',
      'half',
      '--type=merge',
      '-p',
      '{"spec":{"minAvailable":null,"maxUnavailable":"50%"}}',
    ]);
    await counts('half', 2, 3, 1, 3);
    await pocket.run(['delete', 'pod', 'db-0', '--wait=false']);
    await counts('half', 2, 3, 1, 3);
    await pocket.run(['patch', 'pdb', 'half', '--type=merge', '-p', '{"spec":{"maxUnavailable":0}}']);
    await counts('half', 0, 3, 3, 3);
    assert.match(await evict('db-1', 'refuses'), new RegExp(REFUSAL));
  });

  it('is allowed for a pod that is not ready if enough others are healthy', async () => {
    const readinessProbe = { exec: { command: ['test', '-e', '/tmp/ready'] }, periodSeconds: 1 };
    const container = (name: string) =>
      (makePod(name) as { spec: { containers: Fields[] } }).spec.containers[0];
    const containers = [{ ...container('idle'), readinessProbe }];
    await pocket.make(
      makePod('idle', { containers }, { labels: { app: 'idle' } }),
      budget('idle', 'idle', { minAvailable: 1 }),
    );
    await pocket.see('pod', 'idle', 'runs', ({ status }) => status.phase === 'Running');
    await counts('idle', 0, 0, 1, 1);
    assert.match(await evict('idle', 'refuses'), new RegExp(REFUSAL));
    await pocket.run(['patch', 'pdb', 'idle', '-p', '{"spec":{"unhealthyPodEvictionPolicy":"AlwaysAllow"}}']);
    await evict('idle');
  });

  it("is refused with two budgets, with another pod's name, and without permission", async () => {
    await pocket.make(makePod('two', {}, { labels: { app: 'two' } }));
    await pocket.make(
      budget('one', 'two', { maxUnavailable: 1 }),
      budget('other', 'two', { maxUnavailable: 1 }),
    );
    await pocket.see('pod', 'two', 'runs', ({ status }) => status.phase === 'Running');
    assert.match(await evict('two', 'refuses'), /more than one PodDisruptionBudget/);
    assert.match(await evict('two', 'refuses', { metadata: { name: 'x' } }), /name in URL does not match/);
    assert.match(await evict('nobody', 'refuses'), /pods "nobody" not found/);
    const path = '/api/v1/namespaces/default/pods/two/eviction';
    assert.match(
      await pocket.refuses(['create', '--as=ann', '--raw', path, '-f', '-'], {}),
      /User "ann" cannot create resource "pods\/eviction"/,
    );
  });

  it('appears in discovery as policy/v1 Eviction', async () => {
    const { resources } = JSON.parse(await pocket.run(['get', '--raw', '/api/v1']));
    const { group, version, kind, verbs } = resources.find(({ name }: Fields) => name === 'pods/eviction');
    assert.deepEqual([group, version, kind, verbs], ['policy', 'v1', 'Eviction', ['create']]);
  });
});

describe('a PodDisruptionBudget', () => {
  it('allows no disruption when the expected number of pods is unknown', async () => {
    await pocket.make(makeWorkload('DaemonSet', 'agent'), budget('agent', 'agent', { maxUnavailable: 1 }));
    const { status } = await pocket.see(
      'pdb',
      'agent',
      'has looked',
      ({ status }) => status?.conditions?.[0].reason === 'SyncFailed',
    );
    assert.equal(status.disruptionsAllowed, 0);
    assert.match(status.conditions[0].message, /daemonsets.apps does not implement the scale subresource/);
  });

  it('can be created by kubectl create', async () => {
    await pocket.run('create poddisruptionbudget made --selector=app=web --min-available=50%'.split(' '));
    assert.equal((await pocket.get('pdb', 'made')).spec.minAvailable, '50%');
  });
});
