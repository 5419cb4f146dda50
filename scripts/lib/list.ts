import { ancestorOf } from './ancestor.ts';
import { connectionOf } from './cli.ts';
import { UsageError, UserError } from './error.ts';
import { type Connection, Kubectl } from './kubectl.ts';
import type { Service, Workload } from './kubernetes.ts';
import { ANNOTATION, recordOf, servicePort, type TapRecord } from './record.ts';
import { printTable } from './table.ts';
import { printable } from './talk.ts';
import { hasContainer, podCounts, workloadName } from './workload.ts';

export interface ListFlags extends Connection {
  'all-namespaces'?: boolean | undefined;
  output?: string | undefined;
}

/** A tap as `list` shows it; with `-o json` these are the items of a TapList. */
export interface TapSummary {
  namespace: string;
  service: string;
  /** The tapped ports, each with what it points at without the tap and where the proxy listens. */
  ports: { port: number; targetPort: number | string; listenPort: number }[];
  workloads: string[];
  pods: { ready: number; wanted: number };
  mode: string;
  /** What runs in the proxy's container: mitmproxy in a session, mitmdump in a capture. */
  program: string;
  owner: string;
  /** ISO 8601; empty when it is not known. */
  started: string;
  id: string;
  /** `on`, `starting`, `stopping`, `broken: why` or `unknown: why`. */
  state: string;
}

/** The command `list`: every tap of a namespace, or of all. */
export async function list(args: string[], flags: ListFlags): Promise<void> {
  if (args.length > 0)
    throw new UsageError(`list takes no names: ${args.join(' ')}`, 'kubectl get service NAME');
  if (flags.output && !['wide', 'json', 'name'].includes(flags.output)) {
    throw new UsageError(`unknown output format "${flags.output}"`, 'wide, json or name');
  }
  if (flags['all-namespaces'] && flags.namespace) {
    throw new UsageError('either --namespace or --all-namespaces, not both');
  }
  const kubectl = new Kubectl(connectionOf(flags));
  const taps = await readTaps(kubectl, flags['all-namespaces'] ?? false);
  if (flags.output === 'json')
    process.stdout.write(`${JSON.stringify({ kind: 'TapList', items: taps }, null, 2)}\n`);
  else if (taps.length === 0) await tellNone(kubectl, flags);
  else if (flags.output === 'name')
    for (const { service } of taps) process.stdout.write(`service/${service}\n`);
  else printTable(process.stdout, rowsOf(taps, flags));
}

/** One call finds the taps; their workloads take one more for each namespace that has any. */
async function readTaps(kubectl: Kubectl, everywhere: boolean): Promise<TapSummary[]> {
  const services = await kubectl.list<Service>(['services', ...(everywhere ? ['--all-namespaces'] : [])]);
  const tapped = services.filter(
    (service) => service.metadata.annotations?.[ANNOTATION] !== undefined || ancestorOf(service),
  );
  const namespaces = [...new Set(tapped.map(({ metadata }) => metadata.namespace))];
  const lists = await Promise.all(
    namespaces.map(async (namespace) => {
      const here = tapped.filter(({ metadata }) => metadata.namespace === namespace);
      const workloads = await readWorkloads(kubectl.in(namespace), here).catch(tellUnread);
      return here.map((service) => summarize(service, workloads));
    }),
  );
  return lists.flat();
}

/** What can't be read of one namespace keeps nobody from seeing the others; as kubectl's, the exit code says so. */
function tellUnread(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${printable(error.message)}\n`);
  process.exitCode = 1;
  return undefined;
}

async function readWorkloads(kubectl: Kubectl, services: Service[]): Promise<Workload[]> {
  const names = [...new Set(services.flatMap((service) => readable(service)?.workloads ?? []))];
  if (names.length === 0) return [];
  // One object comes as itself, several as a List.
  const text = await kubectl.run(['get', ...names, '--ignore-not-found', '-o', 'json']);
  const found = text ? (JSON.parse(text) as Workload | { items: Workload[] }) : { items: [] };
  return 'items' in found ? found.items : [found];
}

function readable(service: Service): TapRecord | undefined {
  try {
    return recordOf(service);
  } catch {
    return undefined;
  }
}

/**
 * A tapped Service as `list` shows it. Pure.
 * @param all the workloads; undefined when they could not be read.
 */
export function summarize(service: Service, all: Workload[] | undefined): TapSummary {
  const { namespace, name } = service.metadata;
  const record = readable(service);
  if (!record) {
    const ancestor = ancestorOf(service);
    const state = ancestor
      ? `broken: left by ${ancestor === 'mittens' ? 'the Go mittens' : ancestor}`
      : 'broken: unreadable record';
    const unknown = {
      ports: [],
      workloads: [],
      pods: { ready: 0, wanted: 0 },
      mode: '',
      program: '',
      owner: '',
      started: '',
      id: '',
    };
    return { namespace, service: name, ...unknown, state };
  }
  const workloads = (all ?? []).filter((workload) => record.workloads.includes(workloadName(workload)));
  const counts = workloads.map(podCounts);
  return {
    namespace,
    service: name,
    ports: record.ports.map(({ port, targetPort, listenPort }) => ({ port, targetPort, listenPort })),
    workloads: record.workloads,
    pods: {
      ready: counts.reduce((sum, { ready }) => sum + ready, 0),
      wanted: counts.reduce((sum, { wanted }) => sum + wanted, 0),
    },
    mode: record.mode,
    program: record.program ?? 'mitmproxy',
    owner: record.owner,
    started: record.started,
    id: record.id,
    state: stateOf(service, record, all && workloads),
  };
}

function stateOf(service: Service, record: TapRecord, workloads: Workload[] | undefined): string {
  if (record.phase !== 'on') return record.phase;
  if (!workloads) return "unknown: its workloads can't be read";
  const missing = record.workloads.find(
    (name) => !workloads.some((workload) => workloadName(workload) === name),
  );
  if (missing) return `broken: ${missing} is gone`;
  const bare = workloads.find((workload) => !hasContainer(workload, record.container));
  if (bare) return `broken: ${workloadName(bare)} has lost the proxy`;
  for (const { port, listenPort } of record.ports) {
    const current = servicePort(service, port);
    if (!current) return `broken: port ${port} is gone`;
    if (current.targetPort !== listenPort)
      return `broken: port ${port} points at ${current.targetPort} again`;
  }
  return 'on';
}

async function tellNone(kubectl: Kubectl, flags: ListFlags): Promise<void> {
  const where = flags['all-namespaces'] ? '' : ` in ${await kubectl.namespace()} namespace`;
  process.stderr.write(`No taps found${where}.\n`);
}

function rowsOf(taps: TapSummary[], flags: ListFlags): string[][] {
  const wide = flags.output === 'wide';
  const header = ['SERVICE', 'PORTS', 'WORKLOAD', 'PODS', 'MODE', 'OWNER', 'AGE', 'STATE'];
  const rows = taps.map((tap) => [
    ...(flags['all-namespaces'] ? [tap.namespace] : []),
    tap.service,
    tap.ports.map(({ port }) => port).join(',') || '<none>',
    tap.workloads.join(',') || '<none>',
    `${tap.pods.ready}/${tap.pods.wanted}`,
    tap.mode || '<none>',
    tap.owner || '<unknown>',
    tap.started ? age(Date.now() - Date.parse(tap.started)) : '<unknown>',
    tap.state,
    ...(wide
      ? [
          tap.program || '<unknown>',
          tap.id || '<none>',
          tap.ports.map((port) => `${port.targetPort}<-${port.listenPort}`).join(',') || '<none>',
        ]
      : []),
  ]);
  return [
    [
      ...(flags['all-namespaces'] ? ['NAMESPACE'] : []),
      ...header,
      ...(wide ? ['PROGRAM', 'ID', 'TARGETS'] : []),
    ],
    ...rows,
  ];
}

/** An age in ms as kubectl writes it: 45s, 7m30s, 95m, 5h, 3d. */
export function age(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const [m, h, d] = [Math.floor(s / 60), Math.floor(s / 3600), Math.floor(s / 86400)];
  if (s < 120) return `${s}s`;
  if (m < 10) return s % 60 ? `${m}m${s % 60}s` : `${m}m`;
  if (m < 180) return `${m}m`;
  if (h < 8) return m % 60 ? `${h}h${m % 60}m` : `${h}h`;
  return h < 48 ? `${h}h` : `${d}d`;
}
