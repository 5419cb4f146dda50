import {
  type Container,
  isTcp,
  listContainers,
  type PodSpec,
  type Service,
  type ServicePort,
} from '../kube/objects.ts';
import { UserError } from '../util/error.ts';
import { options } from './pod-contract.ts';
import { chooseProtocol } from './protocol.ts';
import type { TappedPort, TapRecord } from './record.ts';
import type { TapRequest } from './request.ts';
import { isPod, targetId } from './target-id.ts';

const DEFAULT_LISTEN_PORT = 7777;
const DEFAULT_HEALTH_PORT = 7788;
const DEFAULT_WEB_PORT = 7790;

/**
 * Finds ports of a Service by number or name.
 * @param wanted empty means the only port.
 * @throws UserError when there is no such port, or when the Service has several and none is named.
 */
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

/** The containers of a pod need not declare their ports. */
function undeclaredPort(service: Service, want: string): ServicePort | undefined {
  const port = Number(want);
  const isPort = isPod(service) && /^\d+$/.test(want) && port > 0 && port < 65536;
  return isPort ? { port, targetPort: port } : undefined;
}

/** Formats a port for people: `80 (http)`. */
export function describePort({ port, name, protocol = 'TCP' }: ServicePort): string {
  return `${port}${protocol === 'TCP' ? '' : `/${protocol}`}${name ? ` (${name})` : ''}`;
}

/** Pods with the same containers: those of a workload, or a single pod. */
export interface PodGroup {
  /** `deployment/web` or `pod/web-1`. */
  owner: string;
  spec: PodSpec;
}

/**
 * Chooses the port on which the proxy listens for each wanted port. Ports that are already tapped stay as they are.
 * @param taken port numbers that are in use in the pods; the chosen ones are added.
 * @throws UserError when the user's listen port is in use, or no container has a named targetPort.
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

/** Chooses the port on which mitmweb listens in the pods. */
export function planWebPort(taken: Set<number>): number {
  return freePort(DEFAULT_WEB_PORT, taken);
}

/**
 * Chooses the port on which the readiness probe finds a proxy that is ready. A probe of the proxy's other ports would
 * be a connection to the app.
 */
export function planHealthPort(taken: Set<number>): number {
  return freePort(DEFAULT_HEALTH_PORT, taken);
}

/** Takes the first free port, starting at `from`. */
function freePort(from: number, taken: Set<number>): number {
  let port = from;
  while (taken.has(port)) port++;
  taken.add(port);
  return port;
}

/** @throws UserError when another container now uses a port of the proxy. */
export function refuseTakenPorts({ owner, spec }: PodGroup, { container, ports }: TapRecord): void {
  const taken = portsInUse(spec, container);
  const clash = ports.find(({ listenPort }) => taken.includes(listenPort));
  if (!clash) return;
  throw new UserError(`port ${clash.listenPort} is now in use in the pods of ${owner}`, {
    hint: 'run the same command again; it takes a free port',
  });
}

/** The ports that other containers declare, and the ports of other proxies. */
export function portsInUse(spec: PodSpec, container: string): number[] {
  const others = listContainers(spec).filter(({ name }) => name !== container);
  return others.flatMap((other) => [
    ...(other.ports ?? []).map(({ containerPort }) => containerPort),
    ...parseProxyPorts(other).map(({ listenPort }) => listenPort),
    ...parseHealthPort(other),
  ]);
}

/**
 * The number of a targetPort in a group of pods.
 * @throws UserError when no container has a port of that name.
 */
function resolvePort({ owner, spec }: PodGroup, container: string, targetPort: number | string): number {
  if (typeof targetPort === 'number') return targetPort;
  for (const { name, ports = [] } of listContainers(spec)) {
    const port = ports.find((port) => port.name === targetPort && (port.protocol ?? 'TCP') === 'TCP');
    if (port && name !== container) return port.containerPort;
  }
  throw new UserError(`no container of ${owner} has a port named ${targetPort}: the port leads nowhere`, {
    hint: "the Service's targetPort names a containerPort of the pods",
  });
}

/** The door's flag for the ports: the listen port, the protocol and the app's port of each. */
export function portsFlag(pods: PodGroup, { container, ports }: TapRecord): string {
  const pairs = ports.map(
    ({ listenPort, protocol, targetPort }) =>
      `${listenPort}=${protocol}:${resolvePort(pods, container, targetPort)}`,
  );
  return `${PORTS_FLAG}${pairs.join(',')}`;
}

/** Replaces the ports in the arguments of a proxy. @param flag what `portsFlag` returned. */
export function withPorts(args: string[], flag: string): string[] {
  return args.map((arg) => (arg.startsWith(PORTS_FLAG) ? flag : arg));
}

/** The port of the readiness probe in the arguments of a proxy; empty without one. */
function parseHealthPort({ args = [] }: Container): number[] {
  const flag = args.find((arg) => arg.startsWith(HEALTH_FLAG));
  return flag ? [Number(flag.slice(HEALTH_FLAG.length))] : [];
}

const PORTS_FLAG = '--ports=';
// In taps of older versions, mitmproxy has an option of ours with the same value, and no door.
const PORTS_PREFIXES = [PORTS_FLAG, `${options.ports}=`];
/** The door's flag for the port of the readiness probe. */
export const HEALTH_FLAG = '--health=';

/** Parses the ports in the arguments of a proxy. Other containers have none. */
export function parseProxyPorts({ args = [] }: Container): { listenPort: number; appPort: number }[] {
  const pairs = args.flatMap((arg) =>
    PORTS_PREFIXES.filter((prefix) => arg.startsWith(prefix)).map((prefix) => arg.slice(prefix.length)),
  );
  return (pairs[0]?.split(',') ?? []).flatMap((pair) => {
    const [, listen, app] = /^(\d+)=[a-z0-9]+:(\d+)$/.exec(pair) ?? [];
    return listen && app ? [{ listenPort: Number(listen), appPort: Number(app) }] : [];
  });
}
