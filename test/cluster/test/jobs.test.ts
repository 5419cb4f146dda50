import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { IDLE, Pocket } from './pocket.ts';

let pocket: Pocket;
before(async () => {
  pocket = await Pocket.start();
});
after(async () => await pocket?.stop());

type Fields = Record<string, unknown>;

function job(name: string, command: string[], spec: Fields = {}, pod: Fields = {}): object {
  const containers = [{ name: 'app', image: 'node:20', command }];
  const template = { spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 5, containers, ...pod } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { template, ...spec } };
}

async function listPods(name: string): Promise<KubeList> {
  return JSON.parse(await pocket.run(['get', 'pods', '-l', `job-name=${name}`, '-o', 'json'])).items;
}

// biome-ignore lint/suspicious/noExplicitAny: pods
type KubeList = any[];

async function wait(name: string, condition: string): Promise<void> {
  await pocket.run(['wait', `job/${name}`, `--for=condition=${condition}`, '--timeout=30s']);
}

const listTypes = (status: { conditions: { type: string }[] }) => status.conditions.map(({ type }) => type);

describe('a Job', () => {
  it('runs one pod that it controls, and is complete when the pod has succeeded', async () => {
    await pocket.make(job('once', ['sh', '-c', 'echo done']));
    await wait('once', 'complete');
    const { metadata, spec, status } = await pocket.get('job', 'once');
    const [pod, more] = await listPods('once');
    assert.equal(more, undefined);
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'once', uid: metadata.uid };
    const [reference] = pod.metadata.ownerReferences;
    assert.deepEqual(reference, { ...owner, controller: true, blockOwnerDeletion: true });
    assert.deepEqual(spec.selector, { matchLabels: { 'batch.kubernetes.io/controller-uid': metadata.uid } });
    assert.deepEqual([spec.completions, spec.parallelism, spec.backoffLimit], [1, 1, 6]);
    assert.deepEqual([status.succeeded, status.active, status.failed], [1, undefined, undefined]);
    assert.ok(status.completionTime);
    assert.deepEqual(listTypes(status), ['SuccessCriteriaMet', 'Complete']);
    assert.equal(await pocket.run(['logs', 'job/once']), 'done\n');
    assert.match(await pocket.run(['get', 'jobs', '--no-headers']), /^once +Complete +1\/1 +\d+s /);
    await pocket.run(['delete', 'job', 'once']);
    await pocket.until('its pod is gone', async () => (await listPods('once')).length === 0);
  });

  it('fails when its pods failed more often than backoffLimit', async () => {
    await pocket.make(job('fails', ['sh', '-c', 'exit 3'], { backoffLimit: 0 }));
    await wait('fails', 'failed');
    const { status } = await pocket.get('job', 'fails');
    assert.deepEqual([status.failed, status.succeeded], [1, undefined]);
    assert.deepEqual(listTypes(status), ['FailureTarget', 'Failed']);
    assert.equal(status.conditions[1].reason, 'BackoffLimitExceeded');
  });

  it('counts the restarts of a pod with restartPolicy OnFailure', async () => {
    const spec = { backoffLimit: 1 };
    await pocket.make(job('again', ['sh', '-c', 'exit 3'], spec, { restartPolicy: 'OnFailure' }));
    await wait('again', 'failed');
    assert.equal((await pocket.get('job', 'again')).status.conditions[1].reason, 'BackoffLimitExceeded');
    await pocket.until('its pod is gone', async () => (await listPods('again')).length === 0);
  });

  it('replaces a deleted pod, but not while it is suspended', async () => {
    // A pod that exits with 0 on SIGTERM would count as a success.
    const command = ['sh', '-c', 'trap "exit 1" TERM; while :; do sleep 0.1; done'];
    await pocket.make(job('lasts', command));
    await pocket.see('job', 'lasts', 'is ready', ({ status }) => status?.ready === 1);
    const [before] = await listPods('lasts');
    await pocket.run(['delete', 'pod', before.metadata.name]);
    await pocket.see('job', 'lasts', 'is ready again', ({ status }) => status?.ready === 1);
    const [after] = await listPods('lasts');
    assert.notEqual(after.metadata.name, before.metadata.name);
    await pocket.run(['patch', 'job', 'lasts', '-p', '{"spec":{"suspend":true}}']);
    await pocket.until('its pod is gone', async () => (await listPods('lasts')).length === 0);
    assert.match(await pocket.run(['get', 'job', 'lasts', '--no-headers']), /^lasts +Suspended +0\/1/);
    await pocket.run(['patch', 'job', 'lasts', '-p', '{"spec":{"suspend":false}}']);
    await pocket.see('job', 'lasts', 'is ready once more', ({ status }) => status?.ready === 1);
  });

  it('is refused with restartPolicy Always, and its template is immutable', async () => {
    const always = job('always', IDLE, {}, { restartPolicy: 'Always' });
    assert.match(
      await pocket.refuses(['create', '-f', '-'], always),
      /spec\.template\.spec\.restartPolicy: Required value: valid values: "OnFailure", "Never"/,
    );
    await pocket.make(job('fixed', IDLE));
    const container = [{ name: 'app', image: 'node:22' }];
    const patch = JSON.stringify({ spec: { template: { spec: { containers: container } } } });
    assert.match(
      await pocket.refuses(['patch', 'job', 'fixed', '-p', patch]),
      /spec\.template: .*field is immutable/,
    );
  });

  it('can be created by kubectl create', async () => {
    await pocket.run('create job made --image=node:20 -- true'.split(' '));
    await wait('made', 'complete');
  });
});
