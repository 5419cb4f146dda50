import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import { app } from '../../e2e/manifests.ts';
import { duration } from '../src/kinds/age.ts';
import { resources } from '../src/kinds/index.ts';
import { pods } from '../src/kinds/pods.ts';
import type { KubeObject } from '../src/objects/object.ts';
import { listComplaints } from '../src/objects/schema.ts';

type Loose = Record<string, unknown>;

function findResource(object: Loose) {
  const found = resources.find(({ kind }) => kind === object.kind);
  assert.ok(found);
  return found;
}

/** The validation errors of an object, after its defaults were set. */
function wrong(object: object, old?: object): string[] {
  const resource = findResource(object as Loose);
  const [next, before] = [structuredClone(object), structuredClone(old)] as [
    KubeObject,
    KubeObject | undefined,
  ];
  assert.deepEqual(listComplaints(resource, next), []);
  resource.setDefaults?.(next);
  if (before) resource.setDefaults?.(before);
  return (resource.validate?.(next, before) ?? []).map(({ field, message }) => `${field}: ${message}`);
}

function pod(spec: object, metadata: object = {}): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', ...metadata }, spec };
}

function container(more: object = {}): object {
  return { name: 'a', image: 'a:1', ...more };
}

function service(spec: object): object {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec };
}

function deployment(spec: object = {}): object {
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [container()] } };
  const all = { selector: { matchLabels: { a: 'b' } }, template, ...spec };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec: all };
}

describe('what the end-to-end tests and the documents use', () => {
  it('is accepted', () => {
    for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet'] as const)
      assert.deepEqual(wrong(app({ name: 'web', kind, podSpec: { hostNetwork: true } })), []);
    const role = load(readFileSync(new URL('../../../docs/rbac.yaml', import.meta.url), 'utf8'));
    assert.deepEqual(wrong(role as object), []);
  });
});

describe('strict decoding', () => {
  const complaints = (object: object) => listComplaints(findResource(object as Loose), object);

  it('names the path of a field that the pocket cluster does not know', () => {
    assert.deepEqual(complaints(pod({ containers: [container({ volumeDevices: [] })], affinity: {} })), [
      'unknown field "spec.containers[0].volumeDevices"',
      'unknown field "spec.affinity"',
    ]);
    assert.deepEqual(complaints({ ...deployment(), sepc: {} }), ['unknown field "sepc"']);
  });

  it('refuses fields that every JavaScript object inherits', () => {
    assert.deepEqual(complaints(pod({ constructor: {} })), ['unknown field "spec.constructor"']);
  });

  it('refuses a value of the wrong type', () => {
    const of = (object: object) => complaints(object).join();
    const prefix = 'json: cannot unmarshal';
    assert.equal(
      of(deployment({ replicas: '2' })),
      `${prefix} string into Go struct field DeploymentSpec.spec.replicas of type int32`,
    );
    assert.equal(
      of(pod({ containers: [{ name: 1 }] })),
      `${prefix} number into Go struct field Container.spec.containers.name of type string`,
    );
    assert.equal(
      of(pod({ containers: {} })),
      `${prefix} object into Go struct field PodSpec.spec.containers of type []v1.Container`,
    );
    assert.match(
      of(pod({}, { labels: { on: true } })),
      /cannot unmarshal bool .*metadata.labels of type string/,
    );
  });

  it('treats null as an absent field', () => {
    assert.deepEqual(complaints(service({ selector: null, ports: null })), []);
  });
});

const DNS = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'";

const CASES: [string, object, string | string[]][] = [
  [
    'a name in capitals',
    pod({ containers: [container()] }, { name: 'P' }),
    `metadata.name: Invalid value: "P": ${DNS}`,
  ],
  [
    'a pod without a name',
    pod({ containers: [container()] }, { name: '' }),
    'metadata.name: Required value: name or generateName is required',
  ],
  [
    'a malformed label',
    pod({ containers: [container()] }, { labels: { 'a/b/c': '' } }),
    'metadata.labels: Invalid value: "a/b/c": a qualified name must consist of',
  ],
  ['a pod without containers', pod({ containers: [] }), 'spec.containers: Required value'],
  [
    'a container without an image',
    pod({ containers: [{ name: 'a' }] }),
    'spec.containers[0].image: Required value',
  ],
  [
    'two containers with the same name',
    pod({ containers: [container(), container()] }),
    'spec.containers[1].name: Duplicate value: "a"',
  ],
  [
    'invalid ports',
    pod({ containers: [container({ ports: [{ containerPort: 70000, name: 'longer-than-fifteen' }, {}] })] }),
    [
      'spec.containers[0].ports[0].name: Invalid value: "longer-than-fifteen": must be no more than 15 characters',
      'spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
      'spec.containers[0].ports[1].containerPort: Required value',
    ],
  ],
  [
    'a mount of an unknown volume',
    pod({ containers: [container({ volumeMounts: [{ name: 'v', mountPath: '/v' }] })] }),
    'spec.containers[0].volumeMounts[0].name: Not found: "v"',
  ],
  [
    'a probe without an action',
    pod({ containers: [container({ readinessProbe: {} })] }),
    'spec.containers[0].readinessProbe: Required value: must specify a handler type',
  ],
  [
    'probes of an init container that is not a sidecar',
    pod({
      containers: [container()],
      initContainers: [
        { name: 'i', image: 'a:1', readinessProbe: { tcpSocket: { port: 1 } } },
        { name: 'j', image: 'a:1', restartPolicy: 'Always', readinessProbe: { tcpSocket: { port: 1 } } },
      ],
    }),
    'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
  ],
  [
    'an ordinary container with a restart policy',
    pod({ containers: [container({ restartPolicy: 'Always' })] }),
    'spec.containers[0].restartPolicy: Forbidden: may not be set for non-init containers',
  ],
  [
    'a startup probe with successThreshold 2',
    pod({ containers: [container({ startupProbe: { exec: { command: ['a'] }, successThreshold: 2 } })] }),
    'spec.containers[0].startupProbe.successThreshold: Invalid value: 2: must be 1',
  ],
  ['a Service without ports', service({}), 'spec.ports: Required value'],
  [
    'several ports without names',
    service({ ports: [{ port: 1 }, { port: 2, name: 'b' }] }),
    'spec.ports[0].name: Required value',
  ],
  [
    'a workload without a selector',
    deployment({ selector: undefined }),
    [
      'spec.selector: Required value',
      'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
    ],
  ],
  [
    'a selector that does not match the template',
    deployment({ selector: { matchLabels: { a: 'c' } } }),
    'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
  ],
];

describe('validation refuses', () => {
  for (const [name, object, expected] of CASES)
    it(name, () => {
      const causes = wrong(object);
      const words = [expected].flat();
      assert.equal(causes.length, words.length, causes.join('\n'));
      for (const [index, word] of words.entries()) assert.ok(causes[index]?.startsWith(word), causes[index]);
    });

  it('changes of immutable fields', () => {
    const one = service({ clusterIP: '10.96.0.1', ports: [{ port: 80 }] });
    const other = service({ clusterIP: '10.96.0.2', ports: [{ port: 80 }] });
    assert.deepEqual(wrong(other, one), [
      'spec.clusterIPs[0]: Invalid value: ["10.96.0.2"]: may not change once set',
    ]);
    const matchExpressions = [{ key: 'a', operator: 'Exists' }];
    assert.match(
      wrong(deployment({ selector: { matchExpressions } }), deployment()).join(),
      /field is immutable$/,
    );
    const before = pod({ containers: [container()] });
    assert.deepEqual(wrong(pod({ nodeName: 'n', containers: [container({ image: 'a:2' })] }), before), []);
    assert.match(
      wrong(pod({ containers: [container({ args: ['x'] })] }), before).join(),
      /^spec: Forbidden: pod updates/,
    );
  });

  it('Services that the pocket cluster does not support, and says that it is the pocket cluster', () => {
    for (const type of ['NodePort', 'LoadBalancer'])
      assert.throws(() => wrong(service({ type, ports: [{ port: 80 }] })), /the pocket cluster does not do/);
  });
});

describe('the columns of kubectl get pods', () => {
  const shown = (status: object, metadata: object = {}) => {
    const object = pod({ containers: [container()], initContainers: [container(), container()] }, metadata);
    return pods.columns.slice(1, 4).map(({ cell }) => cell({ ...object, status } as unknown as KubeObject));
  };
  const ran = {
    name: 'i',
    restartCount: 0,
    ready: true,
    state: { terminated: { exitCode: 0, reason: 'Completed' } },
  };
  const running = { name: 'a', restartCount: 0, ready: true, state: { running: {} } };
  const waiting = (reason: string) => ({
    name: 'a',
    restartCount: 2,
    ready: false,
    state: { waiting: { reason } },
  });

  it("show a pod's state", () => {
    const done = { phase: 'Running', initContainerStatuses: [ran, ran] };
    assert.deepEqual(shown({ phase: 'Pending', initContainerStatuses: [ran, running] }), [
      '0/1',
      'Init:1/2',
      '0',
    ]);
    assert.deepEqual(shown({ ...done, containerStatuses: [running] }), ['1/1', 'Running', '0']);
    assert.deepEqual(shown({ ...done, containerStatuses: [waiting('CrashLoopBackOff')] }), [
      '0/1',
      'CrashLoopBackOff',
      '2',
    ]);
    assert.deepEqual(
      shown({ phase: 'Succeeded', initContainerStatuses: [ran, ran], containerStatuses: [ran] })[1],
      'Completed',
    );
    assert.equal(
      shown({ ...done, containerStatuses: [running] }, { deletionTimestamp: 'x' })[1],
      'Terminating',
    );
  });

  it('show ages as kubectl does', () => {
    const ages = [0, 119, 120, 185, 600, 10_800, 15_000, 100_000, 200_000, 1_000_000, 70_000_000];
    assert.deepEqual(ages.map(duration), [
      '0s',
      '119s',
      '2m',
      '3m5s',
      '10m',
      '3h',
      '4h10m',
      '27h',
      '2d7h',
      '11d',
      '2y80d',
    ]);
  });
});
