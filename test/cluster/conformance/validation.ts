import { configMap, container, object, pod, service, workload } from './manifests.ts';
import { type Scenario, scenario } from './scenario.ts';

/** Since 1.22 messages say "a lowercase RFC 1123 …". */
function laterNames(seen: string): string {
  return seen.replace(/a (DNS-1123|lowercase RFC 1123)/g, 'a RFC 1123').replace(/a DNS-1035/g, 'a RFC 1035');
}

/** Old versions print a value in Go's syntax, new ones as JSON. */
function withoutValues(seen: string): string {
  const value = /(Invalid|Unsupported|Duplicate) value: (\S*\{.*\}|"\{.*\}")(: |$)/gm;
  return laterNames(seen)
    .replace(value, '$1 value$3')
    .replace(/(maxUnavailable: Invalid value): 0/, '$1');
}

const refused = { loosely: laterNames };

/** Scenarios: validation errors. */
export const validation: Scenario[] = [
  scenario('validation: pods', async (t) => {
    const see = (input: object) =>
      t.see('create --validate=false --dry-run=server -f -', { input, loosely: laterNames });
    await see(pod('Bad_Name'));
    await see(pod('p', []));
    await see(pod('p', [container(), container()]));
    await see(pod('p', [container('', { name: undefined })]));
    await see(pod('p', [container('', { name: 'Bad_Name' })]));
    await see(pod('p', [container('', { image: undefined })]));
    await see(pod('p', [container('', { image: '' })]));
    await see(pod('p', [container('', { imagePullPolicy: 'Sometimes' })]));
    await see(pod('p', [container()], { restartPolicy: 'Sometimes' }));
    await see(pod('p', [container('', { ports: [{ containerPort: 0 }] })]));
    await see(pod('p', [container('', { ports: [{ containerPort: 70000 }] })]));
    await see(
      pod('p', [
        container('', {
          ports: [
            { name: 'a', containerPort: 1 },
            { name: 'a', containerPort: 2 },
          ],
        }),
      ]),
    );
    await see(pod('p', [container('', { ports: [{ name: 'much-too-long-a-name', containerPort: 1 }] })]));
    await see(pod('p', [container('', { ports: [{ containerPort: 1, protocol: 'XYZ' }] })]));
    await see(pod('p', [container('', { env: [{ name: '', value: 'x' }] })]));
    await see(
      pod('p', [
        container('', {
          env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        }),
      ]),
    );
    await see(pod('p', [container('', { volumeMounts: [{ name: 'none', mountPath: '/x' }] })]));
    await see(
      pod(
        'p',
        [
          container('', {
            volumeMounts: [
              { name: 'v', mountPath: '/x' },
              { name: 'v', mountPath: '/x' },
            ],
          }),
        ],
        { volumes: [{ name: 'v', emptyDir: {} }] },
      ),
    );
    await see(
      pod('p', [container()], {
        volumes: [
          { name: 'v', emptyDir: {} },
          { name: 'v', emptyDir: {} },
        ],
      }),
    );
    await see(pod('p', [container('', { readinessProbe: { tcpSocket: { port: 0 } } })]));
    await see(pod('p', [container('', { readinessProbe: { periodSeconds: 1 } })]));
    await see(
      pod('p', [container('', { readinessProbe: { httpGet: { port: 80 }, exec: { command: ['a'] } } })]),
    );
    await see(pod('p', [container('', { resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } })]));
    await see(pod('p', [container()], { terminationGracePeriodSeconds: -1 }));
    await see(pod('p', [container()], { initContainers: [container()] }));
    await see({ ...pod('p'), metadata: { name: 'p', labels: { a: 'not valid!' } } });
    await see({ ...pod('p'), metadata: { name: 'p', labels: { 'no key': 'a' } } });
    await see({ ...pod('p'), metadata: {} });
    await see({ ...pod('p'), metadata: { name: 'p', namespace: 'Bad' } });
    await see({ ...pod('p'), metadata: { name: 'p', ownerReferences: [{ kind: 'X', name: 'y' }] } });
  }),

  scenario('validation: workloads', async (t) => {
    const see = (input: object) =>
      t.see('create --validate=false --dry-run=server -f -', { input, loosely: withoutValues });
    await see(workload('Deployment', 'd', undefined, { selector: { matchLabels: { other: 'x' } } }));
    await see(workload('Deployment', 'd', undefined, { selector: undefined }));
    await see(workload('Deployment', 'd', undefined, { selector: {} }));
    await see(workload('Deployment', 'd', [], {}));
    await see(workload('Deployment', 'd', undefined, { replicas: -1 }));
    await see(workload('Deployment', 'd', undefined, { strategy: { type: 'Sometimes' } }));
    await see(
      workload('Deployment', 'd', undefined, {
        strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } },
      }),
    );
    await see(
      workload('Deployment', 'd', undefined, {
        strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } },
      }),
    );
    await see(workload('Deployment', 'd', undefined, {}, { restartPolicy: 'Never' }));
    await see(workload('StatefulSet', 'd', undefined, { selector: { matchLabels: { other: 'x' } } }));
    await see(workload('DaemonSet', 'd', undefined, { selector: { matchLabels: { other: 'x' } } }));
    await see(workload('ReplicaSet', 'd', undefined, { selector: { matchLabels: { other: 'x' } } }));
    await see(workload('Deployment', 'd', [container(), container()]));
    await t.make(
      workload('Deployment', 'web', undefined, { replicas: 0 }),
      workload('DaemonSet', 'agent', undefined, {}, { nodeSelector: { no: 'where' } }),
    );
    const patch = (what: string, body: object) =>
      t.see(`patch ${what} --type=merge -p '${JSON.stringify(body)}'`, { loosely: withoutValues });
    await patch('deployment web', { spec: { selector: { matchLabels: { app: 'x' } } } });
    await patch('deployment web', {
      spec: { selector: { matchLabels: { app: 'x' } }, template: { metadata: { labels: { app: 'x' } } } },
    });
    await patch('daemonset agent', {
      spec: { selector: { matchLabels: { app: 'x' } }, template: { metadata: { labels: { app: 'x' } } } },
    });
    await patch('deployment web', { spec: { template: { spec: { containers: null } } } });
    await patch('deployment web', { spec: { replicas: -3 } });
    await t.see('scale deployment web --replicas=-1');
    await patch('deployment web', { metadata: { labels: { a: '-bad-' } } });
  }),

  scenario('validation: changes of a pod', async (t) => {
    await t.make(pod('p'), pod('q', undefined, { nodeSelector: { no: 'where' } }));
    const forbidden = (seen: string) =>
      seen.replace(
        /pod updates may not change fields other than[\s\S]*/,
        'pod updates may not change other fields',
      );
    await t.see(`patch pod p -p '{"spec":{"restartPolicy":"Never"}}'`, { loosely: forbidden });
    await t.see(
      `patch pod p --type=json -p '[{"op":"add","path":"/spec/containers/-","value":{"name":"x","image":"y"}}]'`,
      { loosely: (seen) => seen.replace(/fields other than[\s\S]*/, '…') },
    );
    await t.see(
      `patch pod p -p '{"spec":{"containers":[{"name":"app","env":[{"name":"A","value":"b"}]}]}}'`,
      { loosely: forbidden },
    );
    await t.see(`patch pod q -p '{"spec":{"containers":[{"name":"app","image":"other:1"}]}}'`);
    await t.see(`patch pod q -p '{"status":{"phase":"Failed"}}'`, { silent: true });
    await t.see(`patch pod q -p '{"metadata":{"labels":{"a":"b"}}}'`);
    await t.see('get pod q', { fields: ['metadata.labels', 'status.phase', 'spec.containers.image'] });
  }),

  scenario('validation: Services and ConfigMaps', async (t) => {
    const see = (input: object) =>
      t.see('create --validate=false --dry-run=server -f -', { input, loosely: withoutValues });
    await see(service('1bad'));
    await see(service('s', { ports: [{ port: 80 }, { port: 81 }] }));
    await see(
      service('s', {
        ports: [
          { name: 'a', port: 80 },
          { name: 'a', port: 81 },
        ],
      }),
    );
    await see(
      service('s', {
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 80 },
        ],
      }),
    );
    await see(service('s', { ports: [{ port: 0 }] }));
    await see(service('s', { ports: [{ port: 80, targetPort: 0 }] }));
    await see(service('s', { ports: [{ port: 80, targetPort: 'Not_A_Name' }] }));
    await see(service('s', { ports: [{ port: 80, targetPort: 'much-too-long-a-name' }] }));
    await see(service('s', { ports: [{ port: 80, protocol: 'XYZ' }] }));
    await see(service('s', { type: 'Sometimes' }));
    await see(service('s', { sessionAffinity: 'Sometimes' }));
    await see(service('s', { selector: { 'no key': 'x' } }));
    await see(configMap('Bad', {}));
    await t.make(service('web'));
    await t.see(`patch service web -p '{"spec":{"clusterIP":"10.96.0.200"}}'`, {
      loosely: (seen) => seen.replace(/Invalid value: \S+/g, 'Invalid value'),
    });
    await t.see(
      `patch service web --type=json -p '[{"op":"replace","path":"/spec/ports/0/targetPort","value":70000}]'`,
    );
    await t.see(`patch service web --type=json -p '[{"op":"remove","path":"/spec/ports"}]'`);
    await t.see(`patch service web -p '{"metadata":{"annotations":{"bad key":"x"}}}'`, refused);
    await t.see('annotate service web long=$NS', { silent: true });
  }),

  // Every version words wrong types and unknown fields differently, so only their fields are compared.
  scenario(
    'unknown fields, wrong types, unknown kinds (loosely: with a 1.20 kubectl validates)',
    async (t) => {
      const field = (name: string) => (seen: string) =>
        `${seen.split('\n')[0]} ${seen.includes(name) ? `about ${name}` : seen}`;
      await t.see('create -f -', { input: pod('p', [container('', { extra: 1 })]), loosely: field('extra') });
      await t.see('create -f -', { input: pod('p', [container()], { extra: 1 }), loosely: field('extra') });
      await t.see('create -f -', {
        input: workload('Deployment', 'd', undefined, { extra: 1 }),
        loosely: field('extra'),
      });
      await t.see('create -f -', { input: { ...configMap('c', {}), extra: 1 }, loosely: field('extra') });
      const wrong = (seen: string) => seen.replace(/(cannot be handled as a \w+)[\s\S]*/, '$1');
      await t.see('create --validate=false -f -', {
        input: pod('p', [container()], { containers: { a: 1 } }),
        loosely: wrong,
      });
      await t.see('create --validate=false -f -', {
        input: workload('Deployment', 'd', undefined, { replicas: 'one' }),
        loosely: wrong,
      });
      await t.see('create --validate=false -f -', {
        input: object('v1', 'ConfigMap', 'c', {}, { data: { a: 1 } }),
        loosely: wrong,
      });
      await t.see('create --validate=false -f -', {
        input: pod('p', [container('', { stdin: 'yes' })]),
        loosely: wrong,
      });
      await t.see(`create -f -`, { input: object('example.com/v1', 'Nonsense', 'x', {}, {}) });
      await t.see('create -f -', { input: object('v1', 'Nonsense', 'x', {}, {}) });
      await t.see('create -f -', { input: object('apps/v9', 'Deployment', 'x', {}, {}) });
      await t.see('create -f -', { input: 'not: an object' });
      await t.see('create -f -', { input: '' });
      await t.see('create -f $DIR/none.yaml');
      // The URL and the body have different names.
      await t.see('create --raw /api/v1/namespaces/$NS/configmaps -f -', {
        input: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' } },
        loosely: (seen) => seen.replace(/^(exit \d+)[\s\S]*/, '$1'),
      });
    },
  ),
];
