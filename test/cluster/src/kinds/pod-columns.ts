import { listSidecars } from '../objects/container-spec.ts';
import type { KubeObject } from '../objects/object.ts';
import type { Column } from '../objects/resource.ts';
import { since } from './age.ts';
import { AGE, NAME } from './columns.ts';

interface ContainerStatus {
  name: string;
  restartCount: number;
  ready: boolean;
  started?: boolean;
  state: {
    waiting?: { reason?: string };
    running?: object;
    terminated?: { exitCode: number; signal?: number; reason?: string };
  };
  lastState?: { terminated?: { finishedAt?: string } };
}

type Status = KubeObject['status'];

export const POD_COLUMNS: Column[] = [
  NAME,
  { name: 'Ready', cell: formatReady },
  { name: 'Status', cell: formatStatus },
  { name: 'Restarts', cell: formatRestarts },
  AGE,
  { name: 'IP', wide: true, cell: ({ status }) => status?.podIP || '<none>' },
  { name: 'Node', wide: true, cell: ({ spec }) => spec.nodeName || '<none>' },
  { name: 'Nominated Node', wide: true, cell: () => '<none>' },
  { name: 'Readiness Gates', wide: true, cell: () => '<none>' },
];

function formatReady({ spec, status }: KubeObject): string {
  const sidecars = listSidecars(spec).map(({ name }) => name);
  const beside = listInitStatuses(status).filter(({ name, started }) => sidecars.includes(name) && started);
  const ready = [...beside, ...listStatuses(status)].filter(({ ready, state }) => ready && state.running);
  return `${ready.length}/${sidecars.length + spec.containers.length}`;
}

/** The pod's state in one word: the reason of its first failing container, else its phase. */
function formatStatus({ metadata, spec, status = {} }: KubeObject): string {
  if (metadata.deletionTimestamp && !['Succeeded', 'Failed'].includes(status.phase)) return 'Terminating';
  const waits = initialization(status, spec);
  if (waits && !holds(status, 'Initialized')) return waits;
  const containers = listStatuses(status);
  const phase = status.reason || status.phase || 'Unknown';
  const reason = containers.map(findReason).find((word) => word !== undefined) ?? phase;
  const running = containers.some(({ ready, state }) => ready && state.running);
  if (reason !== 'Completed' || !running) return reason;
  return holds(status, 'Ready') ? 'Running' : 'NotReady';
}

/** The progress of the init containers; undefined when they are done. */
function initialization(status: Status, { initContainers = [] }: KubeObject['spec']): string | undefined {
  const sidecars = listSidecars({ initContainers }).map(({ name }) => name);
  const done = ({ name, state, started }: ContainerStatus) =>
    state.terminated?.exitCode === 0 || (sidecars.includes(name) && started);
  const statuses = listInitStatuses(status);
  const index = statuses.findIndex((container) => !done(container));
  const current = statuses[index];
  if (!current) return undefined;
  const trouble = findReason(current);
  return trouble && trouble !== 'PodInitializing'
    ? `Init:${trouble}`
    : `Init:${index}/${initContainers.length}`;
}

function findReason({ state: { waiting, terminated } }: ContainerStatus): string | undefined {
  if (waiting?.reason) return waiting.reason;
  if (!terminated) return undefined;
  if (terminated.reason) return terminated.reason;
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`;
}

/** The restarts of containers and sidecars; during initialization, those of the init containers. */
function formatRestarts({ spec, status = {} }: KubeObject): string {
  const waits = initialization(status, spec) && !holds(status, 'Initialized');
  const sidecars = listSidecars(spec).map(({ name }) => name);
  const beside = listInitStatuses(status).filter(({ name }) => sidecars.includes(name));
  const containers = waits ? listInitStatuses(status) : [...beside, ...listStatuses(status)];
  const restarts = containers.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const ends = containers.map(({ lastState }) => lastState?.terminated?.finishedAt ?? '').sort();
  const last = ends.at(-1);
  return restarts > 0 && last ? `${restarts} (${since(last)} ago)` : String(restarts);
}

function listInitStatuses(status: Status): ContainerStatus[] {
  return status?.initContainerStatuses ?? [];
}

function listStatuses(status: Status): ContainerStatus[] {
  return status?.containerStatuses ?? [];
}

function holds(status: Status, condition: string): boolean {
  const conditions: { type: string; status: string }[] = status.conditions ?? [];
  return conditions.some(({ type, status }) => type === condition && status === 'True');
}
