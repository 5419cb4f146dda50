import { UserError } from './error.ts';
import type { Service, ServicePort, Workload } from './kubernetes.ts';
import type { TapRequest } from './plan.ts';
import { isTcp, type TappedPort, type TapRecord } from './record.ts';
import { containersOf, workloadName } from './workload.ts';

export const DEFAULT_LISTEN_PORT = 7777;

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

/**
 * Where the app and the proxy listen for each wanted port; ports that are tapped already stay as they are.
 * @throws UserError when the user's listen port is taken, or a named targetPort is nobody's.
 */
export function planPorts(
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

/** @throws UserError when a port of the proxy has been taken since it was planned, or by a container since the tap began. */
export function refuseTakenPorts(workload: Workload, { container, ports }: TapRecord): void {
  const taken = portsInUse(workload, container);
  const clash = ports.find(({ listenPort }) => taken.has(listenPort));
  if (!clash) return;
  throw new UserError(`port ${clash.listenPort} is now in use in the pods of ${workloadName(workload)}`, {
    hint: 'tap again, and a free one is taken',
  });
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
