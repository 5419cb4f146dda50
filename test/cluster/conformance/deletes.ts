import { configMap, container, pod, workload } from './manifests.ts';
import { type Scenario, scenario } from './scenario.ts';

/** Scenarios: delete, owners and dependents, namespaces. */
export const deletes: Scenario[] = [
  scenario('delete', async (t) => {
    await t.make(configMap('a', {}), configMap('b', {}), configMap('c', {}), pod('p'), pod('q'));
    await t.until('get pods', /p .*Running[\s\S]*q .*Running/);
    await t.see('delete configmap a');
    await t.see('delete configmap a');
    await t.see('delete configmap a --ignore-not-found');
    await t.see('delete configmap a b');
    await t.see('delete configmap c --dry-run=server');
    await t.see('get configmap c -o name');
    await t.see('label configmap c x=y');
    await t.see('delete configmap -l x=y');
    await t.see('delete configmap -l x=y');
    await t.see('delete configmap');
    await t.see('delete nonsense a');
    await t.see('delete pod p');
    await t.see('get pod p');
    await t.see('delete pod q --grace-period=0 --force');
    await t.see('get pod q');
    await t.see('delete pods --all');
    await t.make({ ...configMap('held', {}), metadata: { name: 'held', finalizers: ['example.com/hold'] } });
    await t.see('delete configmap held --wait=true --timeout=1s');
    await t.see('get configmap held', {
      fields: ['metadata.finalizers', 'metadata.deletionTimestamp', 'metadata.deletionGracePeriodSeconds'],
    });
    await t.see(`patch configmap held -p '{"metadata":{"finalizers":null}}'`);
    await t.see('get configmap held');
  }),

  scenario('a pod that is being deleted', async (t) => {
    const slow = container(
      'trap "echo got TERM; cat /tmp/stopping; sleep 6; exit 0" TERM; echo up; sleep 1d & wait',
      {
        lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo after preStop > /tmp/stopping'] } } },
      },
    );
    await t.make(pod('slow', [slow], { terminationGracePeriodSeconds: 15 }));
    await t.until('logs slow', /up/);
    await t.until('get pod slow', /Running/);
    await t.see('delete pod slow --wait=false');
    await t.see('get pod slow');
    await t.see('get pod slow', {
      fields: ['metadata.deletionTimestamp', 'metadata.deletionGracePeriodSeconds', 'status.phase'],
    });
    // preStop runs first, then comes SIGTERM.
    await t.see('logs slow', { until: /TERM\nafter/ });
    await t.see('wait pod/slow --for=delete --timeout=80s', { lines: /exit|error/ });
    await t.make(
      pod('deaf', [container('trap "" TERM; echo up; while :; do sleep 1; done')], {
        terminationGracePeriodSeconds: 2,
      }),
    );
    await t.until('logs deaf', /up/);
    const started = Date.now();
    await t.see('delete pod deaf');
    const seconds = (Date.now() - started) / 1000;
    t.note(
      'a pod that ignores SIGTERM is killed after its grace period',
      `${seconds > 2 ? 'and not before' : `but after ${seconds} s already`}`,
    );
  }),

  scenario('cascade: background, foreground', async (t) => {
    await t.make(
      workload('ReplicaSet', 'a', undefined, { replicas: 1 }),
      workload('ReplicaSet', 'b', undefined, { replicas: 1 }),
    );
    await t.until('get pods', /a-.*Running[\s\S]*b-.*Running/);
    await t.see('delete replicaset b --cascade=foreground');
    await t.see('get pods -l app=b', { until: /No resources/ });
    await t.see('delete replicaset a');
    await t.see('get pods -l app=a', { until: /No resources/ });
    await t.make(configMap('owner', {}));
    const uid = await t.read('get configmap owner -o jsonpath={.metadata.uid}');
    const owned = (name: string, of: string) => ({
      ...configMap(name, {}),
      metadata: { name, ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: of }] },
    });
    await t.make(owned('child', uid), owned('stray', '11111111-2222-3333-4444-555555555555'));
    await t.see('get configmap stray --ignore-not-found', { until: /^exit 0\n?$/ });
    await t.see('get configmap child -o name');
    await t.see('delete configmap owner');
    await t.see('get configmap child --ignore-not-found', { until: /^exit 0\n?$/ });
  }),

  scenario('namespaces', async (t) => {
    await t.make({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: '$NS-x' } });
    await t.see('create -f -', {
      input: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'Bad_Name' } },
    });
    await t.until('get serviceaccount default -n $NS-x', /default/);
    await t.see('create -n $NS-x -f -', { input: [pod('p'), configMap('c', {})] });
    await t.until('get pod p -n $NS-x', /Running/);
    await t.see('get namespace $NS-x', { fields: ['status', 'spec'] });
    await t.see('delete namespace $NS-x --wait=false');
    await t.see('create -f - -n $NS-x', {
      input: configMap('late', {}),
      loosely: (seen) => seen.replace(/.*(not found|terminated)/, 'Error'),
    });
    await t.see('wait namespace $NS-x --for=delete --timeout=80s', { lines: /exit|error/ });
    await t.see('get namespace $NS-x');
    await t.see('get pod p -n $NS-x');
  }),
];
