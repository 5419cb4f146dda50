import { type KubeObject, now } from './object.ts';
import { sidecarsOf } from './sidecar.ts';

/** A container's status as the API has it (core/v1 ContainerStatus). */
export interface ContainerStatus {
  name: string;
  image: string;
  imageID: string;
  containerID?: string;
  ready: boolean;
  /** An ephemeral container is not asked. */
  started?: boolean;
  restartCount: number;
  state: ContainerState;
  lastState: ContainerState;
}

export interface ContainerState {
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

/** What the kubelet knows of a pod. */
export interface PodState {
  ip: string | undefined;
  inits: ContainerStatus[];
  containers: ContainerStatus[];
  ephemeral: ContainerStatus[];
}

/** A pod's status from its containers'. Pure, but for the time. */
export function podStatus(pod: KubeObject, { ip, inits, containers, ephemeral }: PodState): object {
  const before = pod.status ?? {};
  const lasting = sidecarsOf(pod.spec).map(({ name }) => name);
  const sidecars = inits.filter(({ name }) => lasting.includes(name));
  const first = inits.filter(({ name }) => !lasting.includes(name));
  const incomplete = inits
    .filter(({ name, started, state }) =>
      lasting.includes(name) ? !started : state.terminated?.exitCode !== 0,
    )
    .map(({ name }) => name);
  // A sidecar that is started anew does not make it undone.
  const initialized = incomplete.length === 0 || containers.some(hasRun);
  const unready = [...sidecars, ...containers].filter(({ ready }) => !ready).map(({ name }) => name);
  const reached = phaseOf(pod, first, containers, initialized);
  const phase = delayed(reached, before.phase, [...sidecars, ...ephemeral]);
  const done = phase === 'Succeeded' || phase === 'Failed';
  const notReady =
    phase === 'Succeeded'
      ? { status: 'False', reason: 'PodCompleted' }
      : {
          status: 'False',
          reason: 'ContainersNotReady',
          message: `containers with unready status: [${unready.join(' ')}]`,
        };
  const readiness = unready.length === 0 && !done ? { status: 'True' } : notReady;
  const completed = phase === 'Succeeded' && { reason: 'PodCompleted' };
  const initialization = initialized
    ? { status: 'True', ...completed }
    : {
        status: 'False',
        reason: 'ContainersNotInitialized',
        message: `containers with incomplete status: [${incomplete.join(' ')}]`,
      };
  const conditions = [
    { type: 'Initialized', ...initialization },
    { type: 'Ready', ...readiness },
    { type: 'ContainersReady', ...readiness },
  ].map((condition) => withTime(condition, before.conditions ?? []));
  const own = conditions.map(({ type }) => type);
  const others = (before.conditions ?? []).filter(({ type }: Condition) => !own.includes(type));
  return {
    ...before,
    phase,
    conditions: [...conditions, ...others],
    hostIP: '10.244.0.1',
    ...(ip && { podIP: ip, podIPs: [{ ip }] }),
    startTime: before.startTime ?? now(),
    ...(inits.length > 0 && { initContainerStatuses: inits }),
    containerStatuses: containers,
    ...(ephemeral.length > 0 && { ephemeralContainerStatuses: ephemeral }),
  };
}

function phaseOf(
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

/** A pod has not ended while there is a container that runs. */
function delayed(phase: string, before: string, others: ContainerStatus[]): string {
  const ends = phase === 'Succeeded' || phase === 'Failed';
  return ends && others.some(({ state }) => state.running) ? before : phase;
}

interface Condition {
  type: string;
  status: string;
  lastTransitionTime?: string;
}

/** A condition keeps its time until its status changes. */
function withTime(condition: Condition, before: Condition[]): Condition {
  const old = before.find(({ type }) => type === condition.type);
  const same = old?.status === condition.status ? old.lastTransitionTime : undefined;
  return { ...condition, ...{ lastProbeTime: null, lastTransitionTime: same ?? now() } };
}
