import { isAlive, isRunning, type Pod, type Service, servicePort, type Workload } from '../kube/objects.ts';
import { hasContainer, isSelected, podCounts, workloadName } from '../kube/workload.ts';
import { findLegacyTool } from '../plan/legacy.ts';
import { originalSelector, toRemovedLabels } from '../plan/pod-label.ts';
import { ANNOTATION, parseRecord, type TapRecord } from '../plan/record.ts';
import { formatArgument, isPod } from '../plan/target-id.ts';
import { getsTraffic } from '../tap/inject-pod.ts';

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
  /** mitmproxy or mitmweb in a session, mitmdump or wire in a capture. */
  program: string;
  owner: string;
  /** ISO 8601; empty when it is not known. */
  started: string;
  id: string;
  /** `on`, `starting`, `stopping`, `broken: why` or `unknown: why`. */
  state: string;
}

/** The workloads and pods of the taps of a namespace. */
export interface Backends {
  workloads: Workload[];
  /** All pods of the namespace if it has a tap without a restart; otherwise empty. */
  pods: Pod[];
}

export function parseReadableRecord(service: Service): TapRecord | undefined {
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
  const target = { namespace, service: formatArgument(service) };
  const record = parseReadableRecord(service);
  if (!record) return { ...target, ...NOTHING, state: formatStateWithoutRecord(service) };
  const { workloads, mode, program, owner, started, id } = record;
  const ports = record.ports.map(({ port, targetPort, protocol, listenPort }) => ({
    port,
    targetPort,
    protocol,
    listenPort,
  }));
  const pods = behind ? countPods(service, record, behind) : NOTHING.pods;
  const state = formatState(service, record, behind);
  return { ...target, ports, workloads, pods, mode, program, owner, started, id, state };
}

/** What is known of a tap without a readable record. */
const NOTHING = {
  ports: [],
  workloads: [],
  pods: { ready: 0, wanted: 0 },
  mode: '',
  program: '',
  owner: '',
  started: '',
  id: '',
};

function formatStateWithoutRecord(service: Service): string {
  const tool = findLegacyTool(service);
  if (tool) return `broken: left by ${tool === 'mittens' ? 'the Go mittens' : tool}`;
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
  const selects = Object.keys(toRemovedLabels(service.spec.selector)).length > 0;
  return record.mode === 'ephemeral' && !selects
    ? 'broken: it selects pods without a proxy again'
    : undefined;
}
