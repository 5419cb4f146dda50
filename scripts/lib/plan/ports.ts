import {
  type Container,
  isTcp,
  listContainers,
  type PodSpec,
  type Service,
  type ServicePort,
} from '../kube/objects.ts';
import { UserError } from '../util/error.ts';
import { chooseProtocol } from './protocol.ts';
import type { TappedPort, TapRecord } from './record.ts';
import type { TapRequest } from './request.ts';
import { isPod, targetId } from './target-id.ts';

const DEFAULT_LISTEN_PORT = 7777;
const DEFAULT_WEB_PORT = 7790;

/** The Service's ports by number or name; the only one when none is asked for. */
export function choosePorts(service: Service, wanted: readonly string[]): ServicePort[] {
  const all = service.spec.ports ?? [];
  const choices = all.map(describePort).join(', ');
  if (wanted.length === 0) {
    if (all.length === 1) return all;
    if (all.length === 0)
      throw new UserError(`${targetId(service)} declares no port`, { hint: 'name one with --port' });
    throw new UserError(`${targetId(service)} has several ports: ${choices}`, {
      hint: 'choose with --port NUMBER or --port NAME; repeat it for more ports',
    });
  }
  const chosen = wanted.map((want) => {
    const matching = all.filter(({ port, name }) => String(port) === want || name === want);
    const port = matching.find(isTcp) ?? matching[0] ?? undeclaredPort(service, want);
    if (!port)
      throw new UserError(`${targetId(service)} has no port ${want}`, {
        hint: `it has ${choices}`,
      });
    return port;
  });
  return [...new Set(chosen)];
}

/** A pod's containers need not declare where they listen. */
function undeclaredPort(service: Service, want: string): ServicePort | undefined {
  const port = Number(want);
  const isPort = isPod(service) && /^\d+$/.test(want) && port > 0 && port < 65536;
  return isPort ? { port, targetPort: port } : undefined;
}

/** `80 (http)`, as a person would name a port. */
export function describePort({ port, name, protocol = 'TCP' }: ServicePort): string {
  return `${port}${protocol === 'TCP' ? '' : `/${protocol}`}${name ? ` (${name})` : ''}`;
}

/** Pods that share a template: their names are in the messages, their containers say which ports are taken. */
export interface PodGroup {
  /** `deployment/web` or `pod/web-1`. */
  owner: string;
  spec: PodSpec;
}

/**
 * Where the proxy listens for each wanted port; ports that are tapped already stay as they are.
 * @param taken port numbers that are in use in the pods; those that are given are added.
 * @throws UserError when the user's listen port is taken, or a named targetPort is nobody's.
 */
export function planPorts(
  wanted: ServicePort[],
  pods: PodGroup[],
  container: string,
  { listenPort, protocol }: Pick<TapRequest, 'listenPort' | 'protocol'>,
  record: TapRecord | undefined,
  taken: Set<number>,
): TappedPort[] {
  const ports = [...(record?.ports ?? [])];
  for (const { listenPort } of ports) taken.add(listenPort);
  const more = wanted.filter(({ port }) => !ports.some((tapped) => tapped.port === port));
  for (const { port, targetPort = port } of more)
    for (const of of pods) taken.add(resolvePort(of, container, targetPort));
  for (const port of more) {
    if (listenPort !== undefined && ports.length === 0 && taken.has(listenPort)) {
      throw new UserError(`port ${listenPort} is in use in the pods of ${pods[0]?.owner}`, {
        hint: 'leave out --listen-port; mittens then takes a free port',
      });
    }
    const listen = freePort(listenPort ?? DEFAULT_LISTEN_PORT, taken);
    ports.push({
      port: port.port,
      targetPort: port.targetPort ?? port.port,
      protocol: protocol ?? chooseProtocol(port),
      listenPort: listen,
    });
  }
  return ports;
}

/** Where mitmweb is in the pods. */
export function planWebPort(taken: Set<number>): number {
  return freePort(DEFAULT_WEB_PORT, taken);
}

/** The first port from one on that nobody has; it is given to whoever asks. */
function freePort(from: number, taken: Set<number>): number {
  let port = from;
  while (taken.has(port)) port++;
  taken.add(port);
  return port;
}

/** @throws UserError when a port of the proxy has been taken since it was planned, or by a container since the tap began. */
export function refuseTakenPorts({ owner, spec }: PodGroup, { container, ports }: TapRecord): void {
  const taken = portsInUse(spec, container);
  const clash = ports.find(({ listenPort }) => taken.includes(listenPort));
  if (!clash) return;
  throw new UserError(`port ${clash.listenPort} is now in use in the pods of ${owner}`, {
    hint: 'run the same command again; it takes a free port',
  });
}

/** The ports that containers other than this one declare, or that proxies are told to listen on. */
export function portsInUse(spec: PodSpec, container: string): number[] {
  const others = listContainers(spec).filter(({ name }) => name !== container);
  return others.flatMap((other) => [
    ...(other.ports ?? []).map(({ containerPort }) => containerPort),
    ...parseProxyPorts(other).map(({ listenPort }) => listenPort),
  ]);
}

/**
 * The number of a targetPort in some pods.
 * @throws UserError when none of their containers has a port of that name.
 */
function resolvePort({ owner, spec }: PodGroup, container: string, targetPort: number | string): number {
  if (typeof targetPort === 'number') return targetPort;
  for (const { name, ports = [] } of listContainers(spec)) {
    const port = ports.find((port) => port.name === targetPort && (port.protocol ?? 'TCP') === 'TCP');
    if (port && name !== container) return port.containerPort;
  }
  throw new UserError(`no container of ${owner} has a port named ${targetPort}: nobody listens there`, {
    hint: "the Service's targetPort names a containerPort of the pods",
  });
}

/** What the addon is told of the ports: where to listen, and what is on which port of the app. */
export function portsArgument(pods: PodGroup, { container, ports }: TapRecord): string {
  const pairs = ports.map(
    ({ listenPort, protocol, targetPort }) =>
      `${listenPort}=${protocol}:${resolvePort(pods, container, targetPort)}`,
  );
  return `${PORTS_OPTION}${pairs.join(',')}`;
}

/** A proxy's arguments with other ports. */
export function withPorts(args: string[], ports: string): string[] {
  return args.map((arg) => (arg.startsWith(PORTS_OPTION) ? ports : arg));
}

const PORTS_OPTION = 'mittens_ports=';

/** The ports of a proxy by its arguments: of any container that is none, none. */
export function parseProxyPorts({ args = [] }: Container): { listenPort: number; appPort: number }[] {
  const pairs = args.find((arg) => arg.startsWith(PORTS_OPTION))?.slice(PORTS_OPTION.length);
  return (pairs?.split(',') ?? []).flatMap((pair) => {
    const [, listen, app] = /^(\d+)=[a-z0-9]+:(\d+)$/.exec(pair) ?? [];
    return listen && app ? [{ listenPort: Number(listen), appPort: Number(app) }] : [];
  });
}
