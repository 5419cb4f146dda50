import { container, object, pod, podSpec, service, web, workload } from './manifests.ts';
import { type Scenario, scenario } from './scenario.ts';

const STATUS = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'conditions',
];
const fields = STATUS.map((field) => `status.${field}`);
const EVENTS =
  'get events -o custom-columns=TYPE:.type,REASON:.reason,KIND:.involvedObject.kind,MESSAGE:.message --no-headers';

/** Since 1.31 events tell the number of pods before a scaling; since 1.32 a colon follows a container's name. */
function laterWords(seen: string): string {
  return seen.replace(/ from \d+ to /g, ' to ').replace(/(Created|Started) container: ?/g, '$1 container ');
}

/** Scenarios: workloads, their rollouts, quotas. */
export const workloads: Scenario[] = [
  scenario('StatefulSet', async (t) => {
    await t.make(
      workload('StatefulSet', 'db', [web('one')], { replicas: 2 }),
      service('db', { clusterIP: 'None' }),
    );
    await t.see('rollout status statefulset/db --timeout=80s', { lines: /exit|complete/ });
    await t.see('get pods -l app=db', {
      fields: [
        'items.metadata.name',
        'items.metadata.generateName',
        'items.spec.hostname',
        'items.spec.subdomain',
        'items.metadata.ownerReferences.kind',
      ],
    });
    const status = [
      'observedGeneration',
      'replicas',
      'readyReplicas',
      'currentReplicas',
      'updatedReplicas',
      'collisionCount',
    ].map((field) => `status.${field}`);
    await t.see('get statefulset db', { fields: status });
    await t.see(
      'get events --field-selector involvedObject.kind=StatefulSet -o custom-columns=REASON:.reason,MESSAGE:.message --no-headers',
      { sorted: true },
    );
    await t.see('set env statefulset/db X=1');
    await t.see('rollout status statefulset/db --timeout=80s', { lines: /exit|complete/ });
    await t.see('get statefulset db', { fields: status });
    await t.see('get endpoints db', {
      fields: [
        'subsets.addresses.hostname',
        'subsets.addresses.targetRef.name',
        'subsets.ports',
        'metadata.labels',
      ],
      until: /db-0.*db-1|db-1.*db-0/,
      // Their order is random.
      loosely: (seen) => seen.replaceAll('"db-1","db-0"', '"db-0","db-1"'),
    });
    await t.see('scale statefulset db --replicas=1');
    await t.see('get pods -o name', { until: /^exit 0\npod\/db-0$/ });
    await t.see('delete pod db-0');
    await t.see('get pods', { until: /db-0 +1\/1/ });
    await t.see('scale statefulset db --replicas=0');
    await t.see('get pods -o name', { until: /^exit 0\n*$/ });
    await t.see('rollout restart statefulset/db');
    await t.see('rollout history statefulset/db', {
      loosely: (seen) => seen.replace(/\n\d.*/g, '\nREVISION'),
    });
    await t.see(`patch statefulset db -p '{"spec":{"serviceName":"other"}}'`, {
      loosely: (seen) => seen.replace(/updates to statefulset spec[\s\S]*/, 'updates …'),
    });
    await t.see(
      `patch statefulset db -p '{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}'`,
    );
    await t.see('rollout status statefulset/db');
  }),

  scenario('Deployment: rollout, scale, history, undo, restart', async (t) => {
    await t.make(workload('Deployment', 'web', [web('one')], { replicas: 2 }));
    await t.see('rollout status deployment/web --timeout=80s', { lines: /exit|successfully/ });
    await t.see('get deployment web', { fields });
    await t.see('get replicaset -l app=web', {
      fields: [
        'items.spec.replicas',
        'items.status',
        'items.metadata.annotations',
        'items.metadata.ownerReferences.name',
        'items.metadata.ownerReferences.blockOwnerDeletion',
      ],
    });
    await t.see('scale deployment web --replicas=1');
    await t.see('get deployment web', { fields, until: /status.replicas: 1/ });
    await t.see('set env deployment/web X=1');
    await t.see('rollout status deployment/web --timeout=80s', { lines: /exit|successfully/ });
    await t.see('get replicasets -o custom-columns=WANTED:.spec.replicas,IS:.status.replicas --no-headers', {
      sorted: true,
      until: /0 +0/,
    });
    await t.see('rollout history deployment/web');
    await t.see('rollout history deployment/web --revision=2', {
      loosely: (seen) => seen.replace(/pod-template-hash=\S+/, 'HASH'),
    });
    await t.see('rollout undo deployment/web');
    await t.see('rollout status deployment/web --timeout=80s', { lines: /exit|successfully/ });
    await t.see('rollout history deployment/web');
    await t.see('get deployment web', {
      fields: ['spec.template.spec.containers.env', 'metadata.generation', 'metadata.annotations', ...fields],
    });
    await t.see('rollout undo deployment/web --to-revision=9');
    await t.see('rollout restart deployment/web');
    await t.see('rollout status deployment/web --timeout=80s', { lines: /exit|successfully/ });
    await t.see('get deployment web', { fields: ['spec.template.metadata'] });
    await t.see('get pods', { until: /^exit 0\nNAME.*\nweb.*1\/1.*$/ });
    await t.see(`${EVENTS} --field-selector involvedObject.kind=Deployment`, {
      sorted: true,
      loosely: (seen) => [...new Set(laterWords(seen).split('\n'))].join('\n'),
    });
    await t.see('scale deployment web --replicas=0');
    await t.see('get deployment web', { fields, until: /status.replicas: (none|0)/ });
    await t.see('get pods', { until: /No resources/ });
  }),

  scenario('Deployment: paused, stuck, Recreate', async (t) => {
    await t.make(
      workload('Deployment', 'web', [container()]),
      workload('Deployment', 'again', [container()], { strategy: { type: 'Recreate' } }),
    );
    await t.make(
      workload(
        'Deployment',
        'stuck',
        [container('sleep 1d', { readinessProbe: { exec: { command: ['false'] }, periodSeconds: 1 } })],
        { progressDeadlineSeconds: 4 },
      ),
    );
    await t.see('rollout status deployment/web --timeout=80s', { lines: /exit|successfully/ });
    await t.see('rollout pause deployment/web');
    await t.see('rollout pause deployment/web');
    await t.see('set env deployment/web X=1');
    await t.see('get deployment web', { fields: ['spec.paused', ...fields], until: /observedGeneration: 3/ });
    await t.see('rollout undo deployment/web');
    await t.see('rollout restart deployment/web');
    await t.see('rollout resume deployment/web');
    await t.see('rollout resume deployment/web');
    await t.see('rollout status deployment/web --timeout=80s', { lines: /exit|successfully/ });
    await t.see('rollout status deployment/stuck --timeout=30s', { lines: /exit|error/ });
    await t.see('get deployment stuck', { fields });
    await t.see('rollout status deployment/none');
    await t.see('rollout status configmap/none');
    await t.see('set image deployment/web app=IMAGE/none:1');
    await t.see('set env deployment/again X=1');
    await t.see('rollout status deployment/again --timeout=80s', { lines: /exit|successfully/ });
    await t.see('get pods -l app=again', { fields: ['items.spec.containers.env'] });
    await t.make(
      workload('Deployment', 'slow', [
        container('sleep 1d', { readinessProbe: { exec: { command: ['false'] } } }),
      ]),
    );
    await t.see('rollout status deployment/slow --timeout=1s', { lines: /exit|error/ });
  }),

  scenario('DaemonSet', async (t) => {
    await t.make(workload('DaemonSet', 'agent', [web('one')]));
    await t.see('rollout status daemonset/agent --timeout=80s', { lines: /exit|success/ });
    const status = [
      'currentNumberScheduled',
      'desiredNumberScheduled',
      'numberAvailable',
      'numberMisscheduled',
      'numberReady',
      'observedGeneration',
      'updatedNumberScheduled',
    ].map((field) => `status.${field}`);
    await t.see('get daemonset agent', { fields: status });
    await t.see('set env daemonset/agent X=1');
    await t.see('rollout status daemonset/agent --timeout=80s', { lines: /exit|success/ });
    await t.see('get daemonset agent', { fields: [...status, 'metadata.annotations'] });
    await t.see('get pods -l app=agent', {
      fields: [
        'items.spec.containers.env',
        'items.metadata.ownerReferences.kind',
        'items.metadata.generateName',
      ],
    });
    await t.see('scale daemonset agent --replicas=1');
    await t.see('rollout restart daemonset/agent');
    await t.see('rollout undo daemonset/agent', { loosely: (seen) => seen.replace(/\n[\s\S]*/, '') });
    await t.see(
      'get events --field-selector involvedObject.kind=DaemonSet -o custom-columns=REASON:.reason,MESSAGE:.message --no-headers',
      { sorted: true, loosely: (seen) => [...new Set(seen.split('\n'))].join('\n') },
    );
  }),

  scenario('ReplicaSet and ReplicaFailure: quota', async (t) => {
    await t.make(object('v1', 'ResourceQuota', 'pods', {}, { spec: { hard: { pods: '1' } } }));
    await t.until('get resourcequota pods -o jsonpath={.status.hard.pods}', /1/);
    await t.make(pod('first'));
    await t.see('get resourcequota pods', { fields: ['spec', 'status'], until: /"used":\{"pods":"1"/ });
    await t.see('create -f -', { input: pod('second') });
    await t.make(workload('Deployment', 'web'), workload('StatefulSet', 'db'));
    await t.see('get deployment web', {
      fields: ['status.conditions', 'status.replicas', 'status.unavailableReplicas'],
      until: /ReplicaFailure/,
    });
    await t.see('get replicaset -l app=web', {
      fields: ['items.status.conditions', 'items.status.replicas'],
    });
    await t.see(
      'get events --field-selector reason=FailedCreate,involvedObject.kind=StatefulSet -o custom-columns=TYPE:.type,MESSAGE:.message --no-headers',
      { until: /exceeded/, loosely: (seen) => seen.split('\n').slice(0, 2).join('\n') },
    );
    await t.see('rollout status deployment/web --timeout=1s', { lines: /exit|error/ });
    await t.see('describe resourcequota pods');
    await t.make(
      object(
        'v1',
        'ResourceQuota',
        'cpu',
        {},
        { spec: { hard: { 'limits.cpu': '1', 'requests.memory': '1Gi' } } },
      ),
    );
    await t.until('get resourcequota cpu -o jsonpath={.status.hard}', /cpu/);
    await t.run(['delete', 'resourcequota', 'pods']);
    await t.see('create -f -', { input: pod('third'), until: /must specify/ });
    await t.see('create -f -', {
      input: pod('fourth', [container('sleep 1d', { resources: { limits: { cpu: '2', memory: '1Mi' } } })]),
    });
  }),

  scenario('ReplicaSet without a Deployment', async (t) => {
    await t.make(workload('ReplicaSet', 'web', [web('one')], { replicas: 2 }));
    const numbers = ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'];
    const set = [...numbers, 'observedGeneration'].map((field) => `status.${field}`);
    await t.see('get replicaset web', { fields: set, until: /readyReplicas: 2/ });
    await t.see('set env replicaset/web X=1');
    const envs = 'get pods -l app=web -o custom-columns=X:.spec.containers[0].env[0].value --no-headers';
    await t.see(envs, { sorted: true });
    const first = await t.read('get pods -l app=web -o jsonpath={.items[0].metadata.name}');
    await t.run(['delete', 'pod', first]);
    await t.see(envs, { sorted: true, until: /^exit 0\n1\n<none>$/ });
    const second = await t.read('get pods -l app=web -o jsonpath={.items[0].metadata.name}');
    await t.run(['label', 'pod', second, 'app=aside', '--overwrite']);
    await t.see('get pods -l app=aside', { fields: ['items.metadata.ownerReferences'] });
    await t.see('get replicaset web', { fields: set, until: /readyReplicas: 2/ });
  }),

  scenario('DaemonSet with OnDelete', async (t) => {
    const spec = { updateStrategy: { type: 'OnDelete' } };
    await t.make(workload('DaemonSet', 'agent', [web('one')], spec));
    await t.until('get daemonset agent -o jsonpath={.status.numberReady}', /1/);
    await t.see('set env daemonset/agent X=1');
    await t.see('rollout status daemonset/agent');
    const fields = ['numberReady', 'numberAvailable', 'updatedNumberScheduled', 'observedGeneration'];
    const status = fields.map((field) => `status.${field}`);
    await t.see('get daemonset agent', { fields: status, until: /observedGeneration: 2/ });
    await t.see('get pods -l app=agent', { fields: ['items.spec.containers.env'] });
    await t.run(['delete', 'pod', '-l', 'app=agent']);
    await t.see('get daemonset agent', { fields: status, until: /updatedNumberScheduled: 1/ });
    await t.see('get pods -l app=agent', { fields: ['items.spec.containers.env'] });
  }),

  scenario('Jobs', async (t) => {
    const job = (name: string, script: string, spec: object = {}, more: object = {}) => {
      const template = { spec: podSpec([container(script)], { restartPolicy: 'Never', ...more }) };
      return object('batch/v1', 'Job', name, {}, { spec: { template, ...spec } });
    };
    await t.make(job('once', 'echo done'), job('fails', 'exit 3', { backoffLimit: 0 }));
    await t.see('wait job/once --for=condition=complete --timeout=60s');
    await t.see('wait job/fails --for=condition=failed --timeout=60s');
    const pods = ['phase', 'containerStatuses.state.terminated.exitCode'].map(
      (field) => `items.status.${field}`,
    );
    const owners = ['kind', 'controller', 'name'].map((field) => `items.metadata.ownerReferences.${field}`);
    for (const name of ['once', 'fails']) {
      // Since 1.31 a Job first gets a condition that announces its end.
      await t.see(
        `get job ${name} -o jsonpath={.status.succeeded}/{.status.failed}/{.status.active}/{.status.conditions[-1:].type}/{.spec.backoffLimit}`,
      );
      await t.see(`get pods -l job-name=${name}`, { fields: [...pods, ...owners] });
    }
    await t.see('logs job/once');
    await t.see('create -f -', { input: job('always', 'true', {}, { restartPolicy: 'Always' }) });
    await t.see('delete job once fails');
    await t.see('get pods', { until: /No resources/ });
  }),

  scenario('events of a pod', async (t) => {
    await t.make(pod('p'), pod('lost', undefined, { nodeSelector: { no: 'where' } }));
    await t.until('get pod p', /Running/);
    await t.see(`${EVENTS} --field-selector involvedObject.name=p`, {
      sorted: true,
      until: /Started/,
      // Since 1.34 the message has "and can be accessed by the pod".
      loosely: (seen) => laterWords(seen).replace(/ and can be accessed by the pod/, ''),
    });
    // Since 1.24 the scheduler's message is longer.
    await t.see(`${EVENTS} --field-selector involvedObject.name=lost`, {
      until: /Failed/,
      loosely: (seen) =>
        seen
          .replace(/available: .*/, 'available')
          .split('\n')
          .slice(0, 2)
          .join('\n'),
    });
    await t.see('get pod lost', {
      fields: ['status.conditions', 'status.phase', 'status.containerStatuses'],
      until: /Unschedulable/,
      loosely: (seen) => seen.replace(/available: .*/, 'available'),
    });
    await t.see('delete pod p');
    await t.see(`${EVENTS} --field-selector involvedObject.name=p,reason=Killing`, { until: /Killing/ });
    await t.see('get events --field-selector involvedObject.name=p,reason=Started', {
      fields: [
        'items.involvedObject.kind',
        'items.involvedObject.fieldPath',
        'items.source.component',
        'items.count',
        'items.type',
      ],
    });
    await t.see('events --for pod/p --no-headers', { silent: true });
  }),
];
