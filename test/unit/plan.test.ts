import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClusterState } from '../../scripts/lib/plan/cluster-state.ts';
import { containerName, literal } from '../../scripts/lib/plan/container.ts';
import { planTap } from '../../scripts/lib/plan/plan.ts';
import type { TapRequest } from '../../scripts/lib/plan/request.ts';
import { UserError } from '../../scripts/lib/util/error.ts';
import { Templates } from '../../scripts/lib/util/template.ts';
import { pod, REQUEST, record, SIGNATURE, service, state, workload } from './objects.ts';

const templates = new Templates();

function plan(parts: Partial<ClusterState> = {}, request: Partial<TapRequest> = {}) {
  return planTap(state(parts), { ...REQUEST, ...request }, SIGNATURE, templates);
}

interface Sidecar {
  spec: {
    template: {
      spec: {
        containers: [
          { name: string; image: string; imagePullPolicy: string; args: string[]; ports: object[] },
        ];
      };
    };
  };
}

function sidecarOf(parts: Partial<ClusterState> = {}, request: Partial<TapRequest> = {}) {
  const [change] = plan(parts, request).changes.inject;
  return (change?.patch as Sidecar | undefined)?.spec.template.spec.containers[0];
}

const TWO_PORTS = [
  { name: 'http', port: 80, protocol: 'TCP', targetPort: 'http' },
  { name: 'admin', port: 81, protocol: 'TCP', targetPort: 9090 },
];

describe('planTap refuses', () => {
  const cases: [string, Partial<ClusterState>, Partial<TapRequest>, RegExp][] = [
    ['ExternalName', { service: service({ type: 'ExternalName' }) }, {}, /ExternalName/],
    ['a Service without a selector', { service: service({ selector: {} }) }, {}, /has no selector/],
    ['a headless Service', { service: service({ clusterIP: 'None' }) }, {}, /is headless/],
    ['UDP', { service: service({ ports: [{ port: 53, protocol: 'UDP' }] }) }, {}, /speaks UDP/],
    ['SCTP', { service: service({ ports: [{ port: 9, protocol: 'SCTP' }] }) }, {}, /speaks SCTP/],
    ['no workload', { workloads: [], pods: [] }, {}, /no pod matches the selector/],
    [
      'no replicas without a restart',
      { workloads: [workload('Deployment', { replicas: 0 })], pods: [] },
      { mode: 'ephemeral' },
      /scaled to zero/,
    ],
    ['a bare pod with a restart', { owners: ['pod/web-1'], workloads: [] }, {}, /no workload owns it/],
    ['a Job with a restart', { owners: ['job/web'], workloads: [] }, {}, /follow no template/],
    ['a bare ReplicaSet', { workloads: [workload('ReplicaSet')] }, {}, /owned by no Deployment/],
    [
      'a second port without a restart',
      { record: record({ mode: 'ephemeral' }) },
      { ports: ['http'] },
      /takes no more ports/,
    ],
    [
      'a TUI where the web interface is',
      { record: record({ program: 'mitmweb' }) },
      {},
      /tapped with mitmweb/,
    ],
    [
      'a Secret that the pods do not have, without a restart',
      { service: service({ ports: [{ port: 80, targetPort: 8080 }] }) },
      { mode: 'ephemeral', tlsSecret: 'web-tls' },
      /has no volume of secret\/web-tls/,
    ],
    ['a pod that is not there', {}, { mode: 'ephemeral', pod: 'web-9' }, /pod\/web-9 is not ready/],
    ['no ready pod', { pods: [pod({ phase: 'Pending' })] }, {}, /no pod of service\/web is ready/],
    [
      'the host network',
      { workloads: [workload('Deployment', {}, { hostNetwork: true })] },
      {},
      /network of its nodes/,
    ],
    ['a paused rollout', { workloads: [workload('Deployment', { paused: true })] }, {}, /paused/],
    [
      'OnDelete',
      { workloads: [workload('DaemonSet', { updateStrategy: { type: 'OnDelete' } })] },
      {},
      /OnDelete/,
    ],
    [
      'a partition',
      { workloads: [workload('StatefulSet', { updateStrategy: { rollingUpdate: { partition: 1 } } })] },
      {},
      /partition/,
    ],
    [
      'several ports without a choice',
      { service: service({ ports: TWO_PORTS }) },
      {},
      /several ports: 80 \(http\), 81/,
    ],
    ['a port that there is not', {}, { ports: ['99'] }, /has no port 99/],
    [
      'a name that no container has',
      { service: service({ ports: [{ port: 80, targetPort: 'no' }] }) },
      {},
      /named no/,
    ],
    ['a listen port in use', {}, { listenPort: 8080 }, /port 8080 is in use/],
    [
      'a session of a Service that is being captured',
      { record: record({ program: 'mitmdump' }) },
      {},
      /service\/web is being captured, by ann@laptop since/,
    ],
    [
      'a capture of a Service that is tapped',
      { record: record() },
      { program: 'mitmdump' },
      /service\/web is tapped already, by ann@laptop since/,
    ],
    ["mitmproxy's mode", {}, { mitmproxyArgs: ['--mode=socks5'] }, /--mode=socks5 is set by mittens/],
    ["mitmproxy's port", {}, { mitmproxyArgs: ['-p', '1'] }, /-p is set by mittens/],
  ];
  for (const [what, parts, request, says] of cases) {
    it(what, () => {
      assert.throws(
        () => plan(parts, request),
        (error) => error instanceof UserError && says.test(error.message),
      );
    });
  }
});

describe('planTap', () => {
  it('records what targetPort was, and where the app and the proxy listen', () => {
    assert.deepEqual(plan().record, record({ phase: 'starting' }));
  });

  it('takes a targetPort that is a number, or is left out', () => {
    for (const [port, appPort] of [
      [{ port: 80, targetPort: 9090 }, 9090],
      [{ port: 8000 }, 8000],
    ] as const) {
      const parts = { service: service({ ports: [port] }) };
      assert.equal(plan(parts).record.ports[0]?.targetPort, appPort);
      assert.ok(sidecarOf(parts)?.args.includes(`mittens_ports=7777=auto:${appPort}`));
    }
  });

  const taken: [string, ClusterState['workloads'][number]][] = [
    [
      'a container',
      workload(
        'Deployment',
        {},
        {
          containers: [
            { name: 'app', ports: [{ name: 'http', containerPort: 8080 }, { containerPort: 7777 }] },
          ],
        },
      ),
    ],
    [
      'a native sidecar',
      workload(
        'Deployment',
        {},
        { initContainers: [{ name: 'mesh', restartPolicy: 'Always', ports: [{ containerPort: 7777 }] }] },
      ),
    ],
    [
      "another tap's proxy",
      workload(
        'Deployment',
        {},
        {
          containers: [
            { name: 'app', ports: [{ name: 'http', containerPort: 8080 }] },
            { name: 'mittens-api', ports: [{ containerPort: 7777 }] },
          ],
        },
      ),
    ],
  ];
  for (const [who, workload] of taken) {
    it(`steps over a listen port that ${who} uses`, () => {
      assert.equal(plan({ workloads: [workload] }).record.ports[0]?.listenPort, 7778);
    });
  }

  it('steps over a listen port that is the app’s own, undeclared', () => {
    const ports = [{ port: 80, targetPort: 7777 }];
    assert.equal(plan({ service: service({ ports }) }).record.ports[0]?.listenPort, 7778);
  });

  it('gives each of several ports a listen port of its own', () => {
    const { ports } = plan({ service: service({ ports: TWO_PORTS }) }, { ports: ['http', '81'] }).record;
    assert.deepEqual(
      ports.map(({ port, targetPort, listenPort }) => [port, targetPort, listenPort]),
      [
        [80, 'http', 7777],
        [81, 9090, 7778],
      ],
    );
  });

  it('adds a port to a tap that is on, and leaves the rest of its record', () => {
    const before = record({ owner: 'bob@desk' });
    const { record: after } = plan(
      { service: service({ ports: TWO_PORTS }), record: before },
      { ports: ['81'], protocol: 'https' },
    );
    assert.deepEqual([after.id, after.owner, after.ports[0]], [before.id, 'bob@desk', before.ports[0]]);
    assert.deepEqual(after.ports[1], {
      port: 81,
      targetPort: 9090,
      protocol: 'https',
      listenPort: 7778,
    });
  });

  it('adds a port to a proxy that otherwise goes on as it is', () => {
    const args = [
      'mitmproxy',
      '--set',
      'mittens_ports=7777=auto:8080',
      '--scripts',
      '/tmp/$$x',
      '--anticache',
    ];
    const proxy = { name: 'mittens-web', image: 'mine:1', imagePullPolicy: 'Never', args };
    const app = { name: 'app', ports: [{ name: 'http', containerPort: 8080 }] };
    const workloads = [workload('Deployment', {}, { containers: [app, proxy] })];
    const given = { service: service({ ports: TWO_PORTS }), record: record(), workloads };
    const {
      image,
      imagePullPolicy,
      args: after,
    } = sidecarOf(given, { ports: ['81'], addsPorts: true }) ?? {};
    assert.deepEqual([image, imagePullPolicy], ['mine:1', 'Never']);
    assert.deepEqual(
      after,
      args.map((arg) => (arg.startsWith('mittens') ? `${arg},7778=auto:9090` : arg)),
    );
  });

  it('refuses to add a port to a tap whose own port another container has taken since', () => {
    const other = { name: 'late', ports: [{ containerPort: 7777 }] };
    const workloads = [workload('Deployment', {}, { containers: [{ name: 'app' }, other] })];
    const given = { service: service({ ports: TWO_PORTS }), record: record(), workloads };
    assert.throws(() => plan(given, { ports: ['81'] }), /port 7777 is now in use/);
  });

  it('changes none of what it is given', () => {
    const given = state({ service: service({ ports: TWO_PORTS }), record: record() });
    const copy = structuredClone(given);
    planTap(given, { ...REQUEST, ports: ['81'] }, SIGNATURE, templates);
    assert.deepEqual(given, copy);
  });

  for (const [what, workloads, note] of [
    ['a rolling Deployment', [workload()], /^$/],
    ['Recreate', [workload('Deployment', { strategy: { type: 'Recreate' } })], /is down while its pods/],
    ['a StatefulSet of one', [workload('StatefulSet', { replicas: 1 })], /is down while its pod/],
    ['a DaemonSet', [workload('DaemonSet')], /a node has no pod/],
  ] as const) {
    it(`notes what ${what} means for traffic`, () => {
      assert.match(plan({ workloads: [...workloads] }).notes.join(), note);
    });
  }
});

describe('the sidecar', () => {
  it("gets the user's arguments last, as they were written", () => {
    const args = sidecarOf({}, { mitmproxyArgs: ['--set', 'x=$(HOME) $$'] })?.args;
    // Kubernetes reads $$ as $.
    assert.deepEqual(args?.slice(-2), ['--set', 'x=$$(HOME) $$$$']);
  });

  it('meets the restricted Pod Security Standard, and has resources and a readiness probe', () => {
    const { securityContext, resources, readinessProbe } = sidecarOf() as unknown as Record<
      string,
      Record<string, unknown>
    >;
    assert.deepEqual(securityContext, {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    assert.deepEqual(Object.keys(resources ?? {}), ['requests', 'limits']);
    assert.deepEqual(readinessProbe?.tcpSocket, { port: 7777 });
  });
});

describe('containerName', () => {
  it('is a valid name, different for every Service', () => {
    const services = ['web', 'a'.repeat(55), 'a'.repeat(56), 'a'.repeat(63), `${'a'.repeat(62)}b`];
    const names = services.flatMap((name) => [containerName(name), containerName(name, '0123abcd')]);
    for (const name of names) assert.match(name, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
    assert.equal(new Set(names).size, names.length);
  });
});

describe('literal', () => {
  it('survives the expansion that Kubernetes does', () => {
    // As third_party/forked/golang/expansion has it: $$ is $, $(NAME) is a variable.
    const expand = (text: string) =>
      text.replace(/\$(\$|\((\w+)\))/g, (_, what) => (what === '$' ? '$' : 'EXPANDED'));
    for (const text of ['$(HOME)', '$$(HOME)', 'a$', '$', '$$$', 'plain'])
      assert.equal(expand(literal(text)), text);
  });
});
