import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeWorkload, Pocket } from './pocket.ts';

let pocket: Pocket;
before(async () => {
  pocket = await Pocket.start();
});
after(async () => await pocket?.stop());

type Fields = Record<string, unknown>;

function autoscaler(name: string, kind: string, spec: Fields): object {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind, name };
  const metadata = { name };
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: { scaleTargetRef, ...spec },
  };
}

/** Waits until a workload asks for this many pods and has them. */
async function has(kind: string, name: string, replicas: number): Promise<void> {
  await pocket.see(
    kind,
    name,
    `has ${replicas}`,
    ({ spec, status }) => spec.replicas === replicas && (status.readyReplicas ?? 0) === replicas,
  );
}

function conditions(status: { conditions?: Fields[] }): Record<string, string> {
  return Object.fromEntries(
    (status?.conditions ?? []).map(({ type, status, reason }) => [type, `${status} ${reason}`]),
  );
}

describe('a HorizontalPodAutoscaler', () => {
  it('scales a Deployment into its bounds, and back when someone scales it out of them', async () => {
    await pocket.make(
      makeWorkload('Deployment', 'web'),
      autoscaler('web', 'Deployment', { minReplicas: 2, maxReplicas: 3 }),
    );
    await has('deployment', 'web', 2);
    await pocket.run(['scale', 'deployment', 'web', '--replicas=5']);
    await has('deployment', 'web', 3);
    const { status } = await pocket.see(
      'hpa',
      'web',
      'has counted',
      ({ status }) => status.currentReplicas === 3,
    );
    assert.deepEqual(conditions(status), {
      AbleToScale: 'True SucceededGetScale',
      ScalingActive: 'False FailedGetResourceMetric',
    });
    assert.match(
      await pocket.run(['get', 'hpa', 'web', '--no-headers']),
      /^web +Deployment\/web +cpu: <unknown>\/80% +2 +3 +3 /,
    );
    const events = await pocket.run(['get', 'events', '-o', 'custom-columns=M:.message']);
    assert.match(events, /New size: 2; reason: Current number of replicas below Spec.MinReplicas/);
    assert.match(events, /New size: 3; reason: Current number of replicas above Spec.MaxReplicas/);
  });

  it('leaves a workload with zero replicas alone', async () => {
    await pocket.make(
      makeWorkload('StatefulSet', 'db', { replicas: 0, serviceName: 'db' }),
      autoscaler('db', 'StatefulSet', { minReplicas: 2, maxReplicas: 3 }),
    );
    await pocket.see(
      'hpa',
      'db',
      'is disabled',
      ({ status }) => conditions(status).ScalingActive === 'False ScalingDisabled',
    );
    assert.equal((await pocket.get('statefulset', 'db')).spec.replicas, 0);
    await pocket.run(['scale', 'statefulset', 'db', '--replicas=1']);
    await has('statefulset', 'db', 2);
  });

  it('reports in a condition that its target does not exist or cannot be scaled', async () => {
    await pocket.make(makeWorkload('DaemonSet', 'agent'));
    await pocket.make(
      autoscaler('agent', 'DaemonSet', { maxReplicas: 3 }),
      autoscaler('none', 'Deployment', { maxReplicas: 3 }),
    );
    for (const name of ['agent', 'none'])
      await pocket.see(
        'hpa',
        name,
        'fails',
        ({ status }) => conditions(status).AbleToScale === 'False FailedGetScale',
      );
  });
});
