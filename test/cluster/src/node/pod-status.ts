import { listSidecars } from '../objects/container-spec.ts';
import { type KubeObject, now } from '../objects/object.ts';

/** A container's status as the API has it (core/v1 ContainerStatus). */
export interface ContainerStatus {
  name: string;
  image: string;
  imageID: string;
  containerID?: string;
  ready: boolean;
  /** Ephemeral containers do not have it. */
  started?: boolean;
  restartCount: number;
  state: ContainerState;
  lastState: ContainerState;
}

interface ContainerState {
  waiting?: { reason: string; message?: string };
  running?: { startedAt: string };
  terminated?: {
    exitCode: number;
    reason: string;
    message?: string;
    startedAt: string;
    finishedAt: string;
    containerID?: string;
  };
}

/** What the kubelet knows about a pod's containers. */
export interface PodState {
  ip: string | undefined;
  inits: ContainerStatus[];
  containers: ContainerStatus[];
  ephemeral: ContainerStatus[];
}

/** Makes a pod's status from its containers'. Pure, except for the time. */
export function podStatus(pod: KubeObject, { ip, inits, containers, ephemeral }: PodState): object {
  const before = pod.status ?? {};
  const lasting = listSidecars(pod.spec).map(({ name }) => name);
  const sidecars = inits.filter(({ name }) => lasting.includes(name));
  const first = inits.filter(({ name }) => !lasting.includes(name));
  const undone = [
    ...first.filter((init) => !hasSucceeded(init)),
    ...sidecars.filter(({ started }) => !started),
  ];
  // Once initialized, a pod stays so, even if a sidecar restarts.
  const initialized = undone.length === 0 || containers.some(hasRun);
  const reached = findPhase(pod, first, containers, initialized);
  const phase = delayed(reached, before.phase, [...sidecars, ...ephemeral]);
  const readiness = findReadiness(phase, [...sidecars, ...containers]);
  const conditions = [
    {
      type: 'Initialized',
      ...initialization(
        phase,
        initialized,
        inits.filter((init) => undone.includes(init)),
      ),
    },
    { type: 'Ready', ...readiness },
    { type: 'ContainersReady', ...readiness },
  ];
  return {
    ...before,
    phase,
    conditions: merged(conditions, before.conditions ?? []),
    hostIP: '10.244.0.1',
    ...(ip && { podIP: ip, podIPs: [{ ip }] }),
    startTime: before.startTime ?? now(),
    ...(inits.length > 0 && { initContainerStatuses: inits }),
    containerStatuses: containers,
    ...(ephemeral.length > 0 && { ephemeralContainerStatuses: ephemeral }),
  };
}

function hasSucceeded({ state }: ContainerStatus): boolean {
  return state.terminated?.exitCode === 0;
}

/** The conditions Ready and ContainersReady, without their type. */
function findReadiness(phase: string, containers: ContainerStatus[]): Omit<Condition, 'type'> {
  const unready = containers.filter(({ ready }) => !ready);
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (unready.length === 0 && phase !== 'Failed') return { status: 'True' };
  const message = `containers with unready status: ${formatNames(unready)}`;
  return { status: 'False', reason: 'ContainersNotReady', message };
}

function initialization(phase: string, is: boolean, undone: ContainerStatus[]): Omit<Condition, 'type'> {
  if (is) return { status: 'True', ...(phase === 'Succeeded' && { reason: 'PodCompleted' }) };
  const message = `containers with incomplete status: ${formatNames(undone)}`;
  return { status: 'False', reason: 'ContainersNotInitialized', message };
}

/** Names, as Go prints a list. */
function formatNames(containers: ContainerStatus[]): string {
  return `[${containers.map(({ name }) => name).join(' ')}]`;
}

/** The kubelet's conditions, and those that others have set. */
function merged(own: Condition[], before: Condition[]): Condition[] {
  const types = own.map(({ type }) => type);
  return [
    ...own.map((condition) => withTime(condition, before)),
    ...before.filter(({ type }) => !types.includes(type)),
  ];
}

function findPhase(
  pod: KubeObject,
  inits: ContainerStatus[],
  containers: ContainerStatus[],
  initialized: boolean,
): string {
  const policy = pod.spec.restartPolicy;
  if (policy === 'Never' && inits.some(({ state }) => state.terminated && state.terminated.exitCode !== 0))
    return 'Failed';
  if (!initialized) return 'Pending';
  if (!containers.every(hasRun)) return 'Pending';
  const ended = containers.every(({ state }) => state.terminated);
  if (!ended || policy === 'Always') return 'Running';
  const failed = containers.some(({ state }) => state.terminated?.exitCode !== 0);
  if (!failed) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

function hasRun({ state, lastState }: ContainerStatus): boolean {
  return Boolean(state.running ?? state.terminated ?? lastState.terminated);
}

/** A pod has not ended while a container runs. */
function delayed(phase: string, before: string, others: ContainerStatus[]): string {
  const ends = phase === 'Succeeded' || phase === 'Failed';
  return ends && others.some(({ state }) => state.running) ? before : phase;
}

interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/** A condition keeps its transition time until its status changes. */
function withTime(condition: Condition, before: Condition[]): Condition {
  const old = before.find(({ type }) => type === condition.type);
  const same = old?.status === condition.status ? old.lastTransitionTime : undefined;
  return { ...condition, ...{ lastProbeTime: null, lastTransitionTime: same ?? now() } };
}
