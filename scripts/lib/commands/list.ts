import type { Flags } from '../cli/flags.ts';
import { Kubectl, toConnection } from '../kube/kubectl.ts';
import {
  containerStatus,
  isAlive,
  isRunning,
  type Pod,
  type Service,
  servicePort,
  type Workload,
} from '../kube/objects.ts';
import { hasContainer, isSelected, podCounts, workloadName } from '../kube/workload.ts';
import { findLegacyTool } from '../plan/legacy.ts';
import { originalSelector, removeOurLabels } from '../plan/pod-label.ts';
import { ANNOTATION, parseRecord, type TapRecord } from '../plan/record.ts';
import { formatArgument, isPod } from '../plan/target-id.ts';
import { findTaps } from '../tap/find.ts';
import { getsTraffic } from '../tap/inject-pod.ts';
import { UsageError, UserError } from '../util/error.ts';
import { printable } from '../util/log.ts';
import { printTable } from '../util/table.ts';
import { formatAge } from '../util/units.ts';

/** A tap as `list` prints it. With `-o json` these are the items of a TapList. */
export interface TapSummary {
  namespace: string;
  /** The argument for commands: `web` or `pod/web-1`. */
  service: string;
  /** The tapped ports: each with its original targetPort and the port of the proxy. */
  ports: { port: number; targetPort: number | string; protocol: string; listenPort: number }[];
  workloads: string[];
  pods: { ready: number; wanted: number };
  mode: string;
  /** mitmproxy or mitmweb in a session, mitmdump in a capture. */
  program: string;
  owner: string;
  /** ISO 8601; empty when it is not known. */
  started: string;
  id: string;
  /** `on`, `starting`, `stopping`, `broken: why` or `unknown: why`. */
  state: string;
}

/** The command `list`: prints the taps of a namespace, or of all. */
export async function list(flags: Flags<'list'>): Promise<void> {
  if (flags.output && !['wide', 'json', 'name'].includes(flags.output)) {
    throw new UsageError(`unknown output format "${flags.output}"`, 'wide, json or name');
  }
  if (flags['all-namespaces'] && flags.namespace) {
    throw new UsageError('either --namespace or --all-namespaces, not both');
  }
  const kubectl = new Kubectl(toConnection(flags));
  const taps = await readTaps(kubectl, flags['all-namespaces'] ?? false);
  if (flags.output === 'json')
    process.stdout.write(`${JSON.stringify({ kind: 'TapList', items: taps }, null, 2)}\n`);
  else if (taps.length === 0) await printNoTaps(kubectl, flags);
  else if (flags.output === 'name')
    for (const { service } of taps)
      process.stdout.write(`${service.includes('/') ? service : `service/${service}`}\n`);
  else printTable(process.stdout, toRows(taps, flags));
  if (flags.output === 'wide') await printHistory(kubectl, flags['all-namespaces'] ?? false);
}

/** Two calls of kubectl find the taps. Their backends take up to two more for each namespace that has taps. */
async function readTaps(kubectl: Kubectl, everywhere: boolean): Promise<TapSummary[]> {
  const tapped = await findTaps(kubectl, everywhere ? ['--all-namespaces'] : []);
  const namespaces = [...new Set(tapped.map(({ metadata }) => metadata.namespace))];
  const lists = await Promise.all(
    namespaces.map(async (namespace) => {
      const here = tapped.filter(({ metadata }) => metadata.namespace === namespace);
      const behind = await readBackends(kubectl.in(namespace), here).catch(printUnread);
      return here.map((service) => summarize(service, behind));
    }),
  );
  return lists.flat();
}

/** Prints an error of one namespace and goes on with the others. Sets the exit code, as kubectl does. */
function printUnread(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${printable(error.message)}\n`);
  process.exitCode = 1;
  return undefined;
}

/** The workloads and pods of the taps of a namespace. */
export interface Backends {
  workloads: Workload[];
  /** All pods of the namespace if it has a tap without a restart; otherwise empty. */
  pods: Pod[];
}

async function readBackends(kubectl: Kubectl, services: Service[]): Promise<Backends> {
  const records = services.map(parseReadableRecord).filter((record) => record !== undefined);
  const [workloads, pods] = await Promise.all([
    readWorkloads(
      kubectl,
      records.filter(({ mode }) => mode === 'sidecar'),
    ),
    records.some(({ mode }) => mode === 'ephemeral') ? kubectl.list<Pod>(['pods']) : [],
  ]);
  return { workloads, pods };
}

async function readWorkloads(kubectl: Kubectl, records: TapRecord[]): Promise<Workload[]> {
  const names = [...new Set(records.flatMap(({ workloads }) => workloads))];
  if (names.length === 0) return [];
  // kubectl prints one object as itself, several as a List.
  const text = await kubectl.run(['get', ...names, '--ignore-not-found', '-o', 'json']);
  const found = text ? (JSON.parse(text) as Workload | { items: Workload[] }) : { items: [] };
  return 'items' in found ? found.items : [found];
}

function parseReadableRecord(service: Service): TapRecord | undefined {
  try {
    return parseRecord(service);
  } catch {
    return undefined;
  }
}

/**
 * Summarizes a tap. Pure.
 * @param behind undefined when it could not be read.
 */
export function summarize(service: Service, behind: Backends | undefined): TapSummary {
  const { namespace } = service.metadata;
  const record = parseReadableRecord(service);
  if (!record) {
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
    return {
      namespace,
      service: formatArgument(service),
      ...unknown,
      state: formatStateWithoutRecord(service),
    };
  }
  return {
    namespace,
    service: formatArgument(service),
    ports: record.ports.map(({ port, targetPort, protocol, listenPort }) => ({
      port,
      targetPort,
      protocol,
      listenPort,
    })),
    workloads: record.workloads,
    pods: behind ? countPods(service, record, behind) : { ready: 0, wanted: 0 },
    mode: record.mode,
    program: record.program,
    owner: record.owner,
    started: record.started,
    id: record.id,
    state: formatState(service, record, behind),
  };
}

function formatStateWithoutRecord(service: Service): string {
  const ancestor = findLegacyTool(service);
  if (ancestor) return `broken: left by ${ancestor === 'mittens' ? 'the Go mittens' : ancestor}`;
  return service.metadata.annotations?.[ANNOTATION] === undefined
    ? 'broken: its record is gone'
    : 'broken: unreadable record';
}

function countPods(service: Service, record: TapRecord, behind: Backends): TapSummary['pods'] {
  if (record.mode === 'ephemeral') {
    const pods = listTappedPods(service, record, behind);
    return { ready: pods.filter((pod) => isServing(pod, service, record)).length, wanted: pods.length };
  }
  const counts = listTappedWorkloads(record, behind).map(podCounts);
  return {
    ready: counts.reduce((sum, { ready }) => sum + ready, 0),
    wanted: counts.reduce((sum, { wanted }) => sum + wanted, 0),
  };
}

function listTappedWorkloads(record: TapRecord, { workloads }: Backends): Workload[] {
  return workloads.filter((workload) => record.workloads.includes(workloadName(workload)));
}

/** The pods that must have the proxy of a tap without a restart. */
function listTappedPods(service: Service, { pod }: TapRecord, { pods }: Backends): Pod[] {
  const alone = isPod(service) ? service.metadata.name : pod;
  return pods.filter(isAlive).filter(({ metadata }) => {
    if (alone) return metadata.name === alone;
    return isSelected(originalSelector(service), metadata.labels);
  });
}

function isServing(pod: Pod, service: Service, record: TapRecord): boolean {
  return getsTraffic(pod, { service, record }) && isRunning(pod, record.container);
}

function formatState(service: Service, record: TapRecord, behind: Backends | undefined): string {
  if (record.phase !== 'on') return record.phase;
  if (!behind) return "unknown: its pods or workloads can't be read";
  const proxies =
    record.mode === 'sidecar' ? findWorkloadTrouble(record, behind) : findPodTrouble(service, record, behind);
  return proxies ?? findPortTrouble(service, record) ?? 'on';
}

function findWorkloadTrouble(record: TapRecord, behind: Backends): string | undefined {
  const workloads = listTappedWorkloads(record, behind);
  const missing = record.workloads.find(
    (name) => !workloads.some((workload) => workloadName(workload) === name),
  );
  if (missing) return `broken: ${missing} is gone`;
  const bare = workloads.find((workload) => !hasContainer(workload, record.container));
  return bare && `broken: ${workloadName(bare)} has lost the proxy`;
}

function findPodTrouble(service: Service, record: TapRecord, behind: Backends): string | undefined {
  const pods = listTappedPods(service, record, behind);
  if (pods.some((pod) => isServing(pod, service, record))) return undefined;
  return pods.length > 0 ? 'broken: no ready pod has the proxy' : undefined;
}

function findPortTrouble(service: Service, record: TapRecord): string | undefined {
  if (isPod(service)) return undefined;
  for (const { port, listenPort } of record.ports) {
    const current = servicePort(service, port);
    if (!current) return `broken: port ${port} is gone`;
    if (current.targetPort !== listenPort)
      return `broken: port ${port} points at ${current.targetPort} again`;
  }
  const selects = Object.keys(removeOurLabels(service.spec.selector)).length > 0;
  return record.mode === 'ephemeral' && !selects
    ? 'broken: it selects pods without a proxy again'
    : undefined;
}

/** Notes pods with ephemeral containers that have ended: Kubernetes can't remove these. */
async function printHistory(kubectl: Kubectl, everywhere: boolean): Promise<void> {
  const pods = await kubectl.list<Pod>(['pods', ...(everywhere ? ['--all-namespaces'] : [])]);
  const ended = pods.filter((pod) =>
    pod.spec.ephemeralContainers?.some(
      ({ name }) => name.startsWith('mittens-') && containerStatus(pod, name)?.state?.terminated,
    ),
  );
  if (ended.length === 0) return;
  const names = ended.map(({ metadata }) => `pod/${metadata.name}`).join(', ');
  process.stderr.write(
    `${printable(`note: proxies that have ended are in the history of ${names}, until the pods are replaced`)}\n`,
  );
}

async function printNoTaps(kubectl: Kubectl, flags: Flags<'list'>): Promise<void> {
  const where = flags['all-namespaces'] ? '' : ` in ${await kubectl.namespace()} namespace`;
  process.stderr.write(`No taps found${where}.\n`);
}

function toRows(taps: TapSummary[], flags: Flags<'list'>): string[][] {
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
    tap.started ? formatAge(Date.now() - Date.parse(tap.started)) : '<unknown>',
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
