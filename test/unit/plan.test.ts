import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Container } from '../../scripts/lib/kube/objects.ts';
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
        containers: [Container & { ports: object[]; resources: object }];
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

describe('a tap that cannot work', () => {
  const cases: [string, Partial<ClusterState>, Partial<TapRequest>, RegExp][] = [
    ['a Service of type ExternalName', { service: service({ type: 'ExternalName' }) }, {}, /ExternalName/],
    ['a Service without a selector', { service: service({ selector: {} }) }, {}, /has no selector/],
    ['a headless Service', { service: service({ clusterIP: 'None' }) }, {}, /is headless/],
    ['a UDP port', { service: service({ ports: [{ port: 53, protocol: 'UDP' }] }) }, {}, /speaks UDP/],
    ['an SCTP port', { service: service({ ports: [{ port: 9, protocol: 'SCTP' }] }) }, {}, /speaks SCTP/],
    ['a Service without pods and workloads', { workloads: [], pods: [] }, {}, /no pod matches the selector/],
    [
      'a workload scaled to zero, without a restart',
      { workloads: [workload('Deployment', { replicas: 0 })], pods: [] },
      { mode: 'ephemeral' },
      /scaled to zero/,
    ],
    [
      'a pod without an owner, with a restart',
      { owners: ['pod/web-1'], workloads: [] },
      {},
      /no workload owns it/,
    ],
    ['a Job, with a restart', { owners: ['job/web'], workloads: [] }, {}, /follow no template/],
    [
      'a ReplicaSet without a Deployment',
      { workloads: [workload('ReplicaSet')] },
      {},
      /owned by no Deployment/,
    ],
    [
      'another port for a tap without a restart',
      { record: record({ mode: 'ephemeral' }) },
      { ports: ['http'] },
      /ports can't be added/,
    ],
    [
      'a TUI for a tap with the web interface',
      { record: record({ program: 'mitmweb' }) },
      {},
      /tapped with mitmweb/,
    ],
    [
      'a Secret that the pods do not mount, without a restart',
      { service: service({ ports: [{ port: 80, targetPort: 8080 }] }) },
      { mode: 'ephemeral', tlsSecret: 'web-tls' },
      /has no volume with secret\/web-tls/,
    ],
    ['one pod that does not exist', {}, { mode: 'ephemeral', pod: 'web-9' }, /pod\/web-9 is not ready/],
    [
      'a Service without a ready pod',
      { pods: [pod({ phase: 'Pending' })] },
      {},
      /no pod of service\/web is ready/,
    ],
    [
      'pods with hostNetwork',
      { workloads: [workload('Deployment', {}, { hostNetwork: true })] },
      {},
      /uses hostNetwork/,
    ],
    ['a paused Deployment', { workloads: [workload('Deployment', { paused: true })] }, {}, /paused/],
    [
      'the update strategy OnDelete',
      { workloads: [workload('DaemonSet', { updateStrategy: { type: 'OnDelete' } })] },
      {},
      /OnDelete/,
    ],
    [
      'a StatefulSet with a partition',
      { workloads: [workload('StatefulSet', { updateStrategy: { rollingUpdate: { partition: 1 } } })] },
      {},
      /partition/,
    ],
    [
      'several ports when none was chosen',
      { service: service({ ports: TWO_PORTS }) },
      {},
      /several ports: 80 \(http\), 81/,
    ],
    ['a port that the Service does not have', {}, { ports: ['99'] }, /has no port 99/],
    ['a tap that starts', { record: record({ phase: 'starting' }) }, {}, /is starting, by/],
    ['a tap that stops', { record: record({ phase: 'stopping' }) }, {}, /is stopping, by/],
    [
      'a cluster without ephemeral containers',
      { hasEphemeralContainers: false },
      { mode: 'ephemeral' },
      /from 1\.25 on/,
    ],
    ['a capture without the right to exec', { mayExec: false }, { program: 'mitmdump' }, /pods\/exec/],
    [
      'a second capture from the wire',
      { record: record({ program: 'wire' }) },
      { program: 'wire' },
      /service\/web is being captured, by ann@laptop since/,
    ],
    [
      'a Secret without a certificate',
      { secretsWithoutCertificate: ['web-tls'] },
      { tlsSecret: 'web-tls' },
      /secret\/web-tls has no tls\.crt/,
    ],
    [
      'a targetPort name that no container has',
      { service: service({ ports: [{ port: 80, targetPort: 'no' }] }) },
      {},
      /named no/,
    ],
    ['a --listen-port that is in use', {}, { listenPort: 8080 }, /port 8080 is in use/],
    [
      'a session for a Service that is being captured',
      { record: record({ program: 'mitmdump' }) },
      {},
      /service\/web is being captured, by ann@laptop since/,
    ],
    [
      'a capture for a Service that is already tapped',
      { record: record() },
      { program: 'mitmdump' },
      /service\/web is already tapped, by ann@laptop since/,
    ],
    ["mitmproxy's own --mode", {}, { mitmproxyArgs: ['--mode=socks5'] }, /--mode=socks5 is set by mittens/],
    ["mitmproxy's own --listen-port", {}, { mitmproxyArgs: ['-p', '1'] }, /-p is set by mittens/],
  ];
  for (const [what, parts, request, says] of cases) {
    it(`is refused by planTap: ${what}`, () => {
      assert.throws(
        () => plan(parts, request),
        (error) => error instanceof UserError && says.test(error.message),
      );
    });
  }
});

describe('planTap', () => {
  it('planTap records the old targetPort, and the ports of the app and the proxy', () => {
    assert.deepEqual(plan().record, record({ phase: 'starting' }));
  });

  it('planTap accepts a numeric targetPort, and a missing one', () => {
    for (const [port, appPort] of [
      [{ port: 80, targetPort: 9090 }, 9090],
      [{ port: 8000 }, 8000],
    ] as const) {
      const parts = { service: service({ ports: [port] }) };
      assert.equal(plan(parts).record.ports[0]?.targetPort, appPort);
      assert.ok(sidecarOf(parts)?.args?.includes(`--ports=7777=auto:${appPort}`));
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
    it(`planTap avoids a listen port that ${who} uses`, () => {
      assert.equal(plan({ workloads: [workload] }).record.ports[0]?.listenPort, 7778);
    });
  }

  it('planTap avoids a listen port that the app uses without declaring it', () => {
    const ports = [{ port: 80, targetPort: 7777 }];
    assert.equal(plan({ service: service({ ports }) }).record.ports[0]?.listenPort, 7778);
  });

  it('planTap gives each of several ports its own listen port', () => {
    const { ports } = plan({ service: service({ ports: TWO_PORTS }) }, { ports: ['http', '81'] }).record;
    assert.deepEqual(
      ports.map(({ port, targetPort, listenPort }) => [port, targetPort, listenPort]),
      [
        [80, 'http', 7777],
        [81, 9090, 7778],
      ],
    );
  });

  it('planTap adds a port to a tap, and keeps the rest of its record', () => {
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

  it('planTap adds a port to a proxy, and keeps its image and arguments', () => {
    const args = ['python3', '-m', 'door', '--ports=7777=auto:8080', '--', 'mitmproxy', '--anticache'];
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
      args.map((arg) => (arg.startsWith('--ports') ? `${arg},7778=auto:9090` : arg)),
    );
  });

  it('planTap refuses to add a port if another container now uses the listen port of the tap', () => {
    const other = { name: 'late', ports: [{ containerPort: 7777 }] };
    const workloads = [workload('Deployment', {}, { containers: [{ name: 'app' }, other] })];
    const given = { service: service({ ports: TWO_PORTS }), record: record(), workloads };
    assert.throws(() => plan(given, { ports: ['81'] }), /port 7777 is now in use/);
  });

  it('planTap does not modify its arguments', () => {
    const given = state({ service: service({ ports: TWO_PORTS }), record: record() });
    const copy = structuredClone(given);
    planTap(given, { ...REQUEST, ports: ['81'] }, SIGNATURE, templates);
    assert.deepEqual(given, copy);
  });

  for (const [what, workloads, note] of [
    ['a rolling Deployment', [workload()], /^$/],
    ['Recreate', [workload('Deployment', { strategy: { type: 'Recreate' } })], /is down while its pods/],
    ['a StatefulSet of one', [workload('StatefulSet', { replicas: 1 })], /is down while its pod/],
    ['a DaemonSet', [workload('DaemonSet')], /each node has no pod/],
  ] as const) {
    it(`planTap notes what ${what} means for traffic`, () => {
      assert.match(plan({ workloads: [...workloads] }).notes.join(), note);
    });
  }
});

describe('the sidecar', () => {
  it("the sidecar gets the user's arguments last and unchanged", () => {
    const args = sidecarOf({}, { mitmproxyArgs: ['--set', 'x=$(HOME) $$'] })?.args;
    // Kubernetes reads $$ as $.
    assert.deepEqual(args?.slice(-2), ['--set', 'x=$$(HOME) $$$$']);
  });

  it('the sidecar meets the restricted Pod Security Standard, and has resources and a readiness probe', () => {
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
    assert.deepEqual(readinessProbe?.tcpSocket, { port: 7788 });
  });
});

describe("the door's command line", () => {
  const doorOf = (request: Partial<TapRequest> = {}, parts: Partial<ClusterState> = {}) => {
    const { args = [] } = sidecarOf(parts, request) ?? {};
    return args.slice(0, args.indexOf('--'));
  };

  it('has the ports, and the port of the readiness probe', () => {
    assert.deepEqual(doorOf(), ['python3', '-m', 'door', '--ports=7777=auto:8080', '--health=7788']);
  });

  for (const [what, request] of [
    ['a script', { files: [{ flag: '--scripts', name: 'a.py', content: '' }] }],
    ["an argument of mitmproxy's", { mitmproxyArgs: ['--intercept', '~q'] }],
    ['X-Forwarded-For', { forwarded: true }],
    ['the end of TLS', { protocol: 'https' }],
    ['a certificate', { tlsSecret: 'shop-tls' }],
  ] as const)
    it(`waits for mitmproxy before the first connection when the request has ${what}`, () => {
      assert.ok(doorOf(request as Partial<TapRequest>).includes('--wait'));
    });

  it('can refuse what mitmproxy can not serve, and show a share of the connections', () => {
    const door = doorOf({ failClosed: true, sample: 2.5 });
    assert.ok(door.includes('--fail-closed'));
    assert.ok(door.includes('--sample=2.5'));
  });

  it('is given the limits that the user chose, and asks for no more than these', () => {
    const resources = (request: Partial<TapRequest>) => sidecarOf({}, request)?.resources;
    assert.deepEqual(resources({ proxyCpu: '2', proxyMemory: '1Gi' }), {
      requests: { cpu: '50m', memory: '128Mi' },
      limits: { cpu: '2', memory: '1Gi' },
    });
    assert.deepEqual(resources({ proxyMemory: '100Mi' }), {
      requests: { cpu: '50m', memory: '100Mi' },
      limits: { cpu: '1', memory: '100Mi' },
    });
  });

  it('writes a wire file, in little memory and without mitmproxy, for a capture by wire', () => {
    const { args, resources } = sidecarOf({}, { program: 'wire' }) ?? {};
    assert.deepEqual(args?.slice(-2), ['--health=7788', '--wire=/tmp/mittens.wire']);
    assert.deepEqual(resources, {
      requests: { cpu: '50m', memory: '20Mi' },
      limits: { cpu: '1', memory: '128Mi' },
    });
  });

  it('can not get a port more when an older mittens began the tap', () => {
    const { health, ...older } = record();
    const given = { service: service({ ports: TWO_PORTS }), record: older };
    assert.throws(() => plan(given, { ports: ['81'] }), /was tapped by an older mittens/);
    assert.equal(health, 7788);
  });
});

describe('containerName', () => {
  it('containerName returns a valid name, different for every Service', () => {
    const services = ['web', 'a'.repeat(55), 'a'.repeat(56), 'a'.repeat(63), `${'a'.repeat(62)}b`];
    const names = services.flatMap((name) => [containerName(name), containerName(name, '0123abcd')]);
    for (const name of names) assert.match(name, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
    assert.equal(new Set(names).size, names.length);
  });
});

describe('literal', () => {
  it('a literal argument survives the $(NAME) expansion of Kubernetes', () => {
    // As third_party/forked/golang/expansion has it: $$ is $, $(NAME) is a variable.
    const expand = (text: string) =>
      text.replace(/\$(\$|\((\w+)\))/g, (_, what) => (what === '$' ? '$' : 'EXPANDED'));
    for (const text of ['$(HOME)', '$$(HOME)', 'a$', '$', '$$$', 'plain'])
      assert.equal(expand(literal(text)), text);
  });
});
