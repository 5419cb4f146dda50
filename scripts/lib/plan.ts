import { createHash } from 'node:crypto';
import { UserError } from './error.ts';
import type { PatchType } from './kubectl.ts';
import { isReady, type Pod, type Service, type ServicePort, type Workload } from './kubernetes.ts';
import { isTcp, retargetPatch, type TappedPort, type TapRecord, writePatch } from './record.ts';
import type { Templates } from './template.ts';
import { containersOf, podCounts, workloadName } from './workload.ts';

/** What was read of the cluster before a tap. */
export interface Scene {
  service: Service;
  /** The pods that the Service selects, dead ones too. */
  pods: Pod[];
  /** What owns them. */
  workloads: Workload[];
  /** The tap that is on already, to which ports are added. */
  record: TapRecord | undefined;
}

/** What the user asked for. */
export interface TapRequest {
  /** Port numbers or names; none means the only one. */
  ports: string[];
  https: boolean;
  /** Where the proxy listens; undefined means 7777, or above it the first that is free. */
  listenPort: number | undefined;
  image: string;
  imagePullPolicy: string;
  /** For mitmproxy itself. */
  mitmproxyArgs: string[];
}

/** Who taps, and when: what a pure plan can't know. */
export interface Signature {
  id: string;
  owner: string;
  started: string;
}

/** One patch of one object. */
export interface Change {
  object: string;
  type: PatchType;
  patch: unknown;
}

export interface Plan {
  record: TapRecord;
  /** What the user should know before it happens. */
  notes: string[];
  /** In the order in which they are made. */
  changes: { record: Change; inject: Change; retarget: Change };
}

export const DEFAULT_LISTEN_PORT = 7777;

/** The mode and the ports are ours: with others the tap would point at nothing. */
const OWN_ARGS = /^(-m|--mode|-p|--listen-port|--listen-host|--no-server|-n)(=|$)/;

/**
 * Plans a tap. Pure: it reads nothing and changes nothing.
 * @throws UserError when the Service can't be tapped, with the reason and the way out.
 */
export function planTap(scene: Scene, request: TapRequest, signature: Signature, templates: Templates): Plan {
  const { service } = scene;
  refuseService(service);
  refuseArgs(request.mitmproxyArgs);
  const workload = theWorkload(scene);
  refuseWorkload(workload);
  refusePods(scene, workload);
  const wanted = choosePorts(service, request.ports);
  for (const port of wanted) refusePort(service, port);
  const container = containerName(service.metadata.name);
  const ports = planPorts(wanted, workload, container, request, scene.record);
  const record: TapRecord = {
    version: 1,
    ...(scene.record ?? signature),
    phase: 'starting',
    mode: 'sidecar',
    container,
    workloads: [workloadName(workload)],
    ports,
  };
  return {
    record,
    notes: notesOn(workload),
    changes: {
      record: {
        object: `service/${service.metadata.name}`,
        type: 'merge',
        patch: writePatch(templates, service, record),
      },
      inject: {
        object: workloadName(workload),
        type: 'strategic',
        patch: sidecarPatch(workload, record, request, templates),
      },
      retarget: {
        object: `service/${service.metadata.name}`,
        type: 'merge',
        patch: retargetPatch(templates, service, record),
      },
    },
  };
}

function refuseService(service: Service): void {
  const name = `service/${service.metadata.name}`;
  if (service.spec.type === 'ExternalName') {
    throw new UserError(`${name} is of type ExternalName: there are no pods behind it`, {
      hint: 'tap the Service that it names, in the cluster where that one is',
    });
  }
  if (Object.keys(service.spec.selector ?? {}).length === 0) {
    throw new UserError(`${name} has no selector: its endpoints are kept by hand, there are no pods to tap`);
  }
  if (service.spec.clusterIP === 'None') {
    throw new UserError(`${name} is headless: its clients go to the pods themselves, past any targetPort`, {
      hint: 'tap a Service with a cluster IP in front of the same pods',
    });
  }
}

function refuseArgs(args: string[]): void {
  const own = args.find((arg) => OWN_ARGS.test(arg));
  if (own) {
    throw new UserError(`mitmproxy's ${own} is set by mittens`, {
      hint: 'use --port, --listen-port and --https for what is tapped, and how',
    });
  }
}

function theWorkload({ service, workloads }: Scene): Workload {
  const name = `service/${service.metadata.name}`;
  const [workload, ...others] = workloads;
  if (!workload) {
    throw new UserError(`no pod matches the selector of ${name}`, { hint: 'kubectl get pods --show-labels' });
  }
  if (others.length > 0) {
    throw new UserError(
      `${name} has several workloads behind it: ${workloads.map(workloadName).join(', ')}`,
      {
        hint: 'tap a Service that selects the pods of one of them',
      },
    );
  }
  return workload;
}

function refusePods({ service, pods }: Scene, workload: Workload): void {
  const name = workloadName(workload);
  if (podCounts(workload).wanted === 0) {
    throw new UserError(`service/${service.metadata.name} has no pods: ${name} is scaled to zero`, {
      hint: `kubectl scale ${name} --replicas=1`,
    });
  }
  if (!pods.some(isReady)) {
    throw new UserError(`no pod of service/${service.metadata.name} is ready`, {
      hint: `kubectl describe ${name}`,
    });
  }
}

function refuseWorkload(workload: Workload): void {
  const name = workloadName(workload);
  const { spec } = workload;
  if (spec.template.spec.hostNetwork) {
    throw new UserError(`${name} uses the network of its nodes: the proxy's port would be open there`, {
      hint: 'hostNetwork workloads are not tapped',
    });
  }
  if (spec.paused) {
    throw new UserError(`the rollout of ${name} is paused: its pods would not change`, {
      hint: `kubectl rollout resume ${name}`,
    });
  }
  if (spec.updateStrategy?.type === 'OnDelete') {
    throw new UserError(`${name} has the update strategy OnDelete: its pods would not change by themselves`, {
      hint: 'mittens taps workloads that roll out',
    });
  }
  if (spec.updateStrategy?.rollingUpdate?.partition) {
    throw new UserError(`${name} has an update partition: not all of its pods would change`, {
      hint: 'set spec.updateStrategy.rollingUpdate.partition to 0',
    });
  }
}

/** The Service's ports by number or name; the only one when none is asked for. */
export function choosePorts(service: Service, wanted: string[]): ServicePort[] {
  const all = service.spec.ports ?? [];
  const choices = all.map(describePort).join(', ');
  if (wanted.length === 0) {
    if (all.length === 1) return all;
    throw new UserError(`service/${service.metadata.name} has several ports: ${choices}`, {
      hint: 'choose with --port, by number or name, once for each',
    });
  }
  const chosen = wanted.map((want) => {
    const matching = all.filter(({ port, name }) => String(port) === want || name === want);
    const port = matching.find(isTcp) ?? matching[0];
    if (!port)
      throw new UserError(`service/${service.metadata.name} has no port ${want}`, {
        hint: `it has ${choices}`,
      });
    return port;
  });
  return [...new Set(chosen)];
}

/** `80 (http)`, as a person would name a port. */
export function describePort({ port, name, protocol = 'TCP' }: ServicePort): string {
  return `${port}${protocol === 'TCP' ? '' : `/${protocol}`}${name ? ` (${name})` : ''}`;
}

function refusePort(service: Service, port: ServicePort): void {
  if (isTcp(port)) return;
  throw new UserError(`port ${port.port} of service/${service.metadata.name} speaks ${port.protocol}`, {
    hint: 'mitmproxy sits in front of TCP ports',
  });
}

/** The name of the proxy's container: one a Service, so that each is given back on its own. */
export function containerName(service: string): string {
  if (service.length <= 55) return `mittens-${service}`;
  const digest = createHash('sha256').update(service).digest('hex').slice(0, 8);
  return `mittens-${service.slice(0, 46)}-${digest}`;
}

function planPorts(
  wanted: ServicePort[],
  workload: Workload,
  container: string,
  { listenPort, https }: TapRequest,
  record: TapRecord | undefined,
): TappedPort[] {
  const ports = [...(record?.ports ?? [])];
  const taken = portsInUse(workload, container);
  for (const { listenPort } of ports) taken.add(listenPort);
  for (const port of wanted) {
    if (ports.some((tapped) => tapped.port === port.port)) continue;
    const targetPort = port.targetPort ?? port.port;
    const appPort = resolvePort(workload, container, targetPort);
    if (listenPort !== undefined && ports.length === 0 && taken.has(listenPort)) {
      throw new UserError(`port ${listenPort} is in use in the pods of ${workloadName(workload)}`, {
        hint: 'leave --listen-port out, and a free one is taken',
      });
    }
    let listen = listenPort ?? DEFAULT_LISTEN_PORT;
    while (taken.has(listen) || listen === appPort) listen++;
    taken.add(listen);
    ports.push({
      port: port.port,
      targetPort,
      scheme: https ? 'https' : 'http',
      appPort,
      listenPort: listen,
    });
  }
  return ports;
}

function portsInUse(workload: Workload, container: string): Set<number> {
  const others = containersOf(workload).filter(({ name }) => name !== container);
  return new Set(others.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort)));
}

function resolvePort(workload: Workload, container: string, targetPort: number | string): number {
  if (typeof targetPort === 'number') return targetPort;
  for (const { name, ports = [] } of containersOf(workload)) {
    const port = ports.find((port) => port.name === targetPort && (port.protocol ?? 'TCP') === 'TCP');
    if (port && name !== container) return port.containerPort;
  }
  throw new UserError(
    `no container of ${workloadName(workload)} has a port named ${targetPort}: nobody listens there`,
    {
      hint: "the Service's targetPort names a containerPort of the pods",
    },
  );
}

function sidecarPatch(
  workload: Workload,
  record: TapRecord,
  request: TapRequest,
  templates: Templates,
): unknown {
  const apps = workload.spec.template.spec.containers.filter(({ name }) => name !== record.container);
  return templates.render('sidecar', {
    resourceVersion: workload.metadata.resourceVersion,
    order: [...apps.map(({ name }) => ({ name })), { name: record.container }],
    container: record.container,
    image: request.image,
    imagePullPolicy: request.imagePullPolicy,
    args: mitmproxyArgs(record, request).map(literal),
    addon: literal(templates.read('mittens.py')),
    ports: record.ports.map(({ listenPort }) => ({ containerPort: listenPort, protocol: 'TCP' })),
    listenPort: record.ports[0]?.listenPort,
  });
}

function mitmproxyArgs(record: TapRecord, request: TapRequest): string[] {
  const ports = record.ports.map((port) => ({ ...port, url: `${port.scheme}://localhost:${port.appPort}` }));
  const [first] = ports;
  const options = [
    'confdir=/tmp/mitmproxy',
    // The addon opens the ports, once the app listens on its own.
    'server=false',
    `mittens_ports=${ports.map(({ listenPort, url }) => `${listenPort}=${url}`).join(',')}`,
    'keep_host_header=true',
    // The list shows the name that the client asked for, not localhost.
    'showhost=true',
    // Otherwise every readiness probe would open a connection to the app.
    'connection_strategy=lazy',
    // A Service of type LoadBalancer brings clients from public addresses, which mitmproxy blocks otherwise.
    'block_global=false',
    // What the app would have to judge is not for the proxy to refuse.
    'validate_inbound_headers=false',
    'ssl_insecure=true',
    'stream_large_bodies=5m',
  ];
  return [
    ...['--mode', `reverse:${first?.url}`],
    ...['--listen-port', String(first?.listenPort)],
    ...options.flatMap((option) => ['--set', option]),
    ...request.mitmproxyArgs,
  ];
}

/** Kubernetes expands `$(NAME)` in a container's args and environment, and reads `$$` as one `$`. */
export function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}

function notesOn(workload: Workload): string[] {
  const name = workloadName(workload);
  if (workload.spec.strategy?.type === 'Recreate') {
    return [`${name} has the strategy Recreate: it is down while its pods are replaced`];
  }
  if (workload.kind === 'StatefulSet' && podCounts(workload).wanted === 1) {
    return [`${name} has one replica: it is down while its pod is replaced`];
  }
  if (workload.kind === 'DaemonSet') return [`${name}: a node has no pod of it while that one is replaced`];
  return [];
}
