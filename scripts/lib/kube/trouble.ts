import { type ContainerStatus, containerStatus, type Pod, type Workload } from './objects.ts';
import { workloadName } from './workload.ts';

/** Why a pod, or the pods of a workload, do not become ready. */
export interface Trouble {
  text: string;
  /** Waiting does not help. */
  fatal: boolean;
  /** The pod and container whose log may say more. */
  log?: { pod: string; container: string };
  hint?: string | undefined;
}

/** How long a pod may stay unschedulable, in ms: an autoscaler or a pod that ends can make room. */
const UNSCHEDULABLE_MS = 10_000;

/** Why a pod does not become ready, if its status says so. Pure. */
export function findPodTrouble(pod: Pod, container: string | undefined, waited: number): Trouble | undefined {
  const name = `pod/${pod.metadata.name}`;
  const unscheduled = pod.status.conditions?.find(
    ({ type, status, reason }) => type === 'PodScheduled' && status === 'False' && reason === 'Unschedulable',
  );
  if (unscheduled) {
    return { text: `${name} can't be scheduled: ${unscheduled.message}`, fatal: waited > UNSCHEDULABLE_MS };
  }
  const statuses = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
  for (const status of statuses) {
    const trouble = findContainerTrouble(status, status.name === container);
    if (!trouble) continue;
    const log = { pod: pod.metadata.name, container: status.name };
    return { ...trouble, text: `${name}, container ${status.name}: ${trouble.text}`, log };
  }
  const proxy = pod.status.containerStatuses?.find((status) => status.name === container);
  const others = pod.status.containerStatuses?.filter((status) => status.name !== container) ?? [];
  if (proxy?.state?.running && !proxy.ready && others.every(({ ready }) => ready)) {
    return { text: `${name}: nothing listens on the app's port yet`, fatal: false };
  }
  return undefined;
}

/** Why the proxy in a pod does not run. Pure. */
export function findProxyTrouble(pod: Pod, container: string): Trouble | undefined {
  const status = containerStatus(pod, container);
  const trouble = status && findContainerTrouble(status, true);
  if (!trouble) return undefined;
  const { name } = pod.metadata;
  const text = `pod/${name}, container ${container}: ${trouble.text}`;
  return { ...trouble, text, log: { pod: name, container }, hint: hintFor(text) };
}
const BROKEN =
  /^(ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|CreateContainer.*Error|RunContainerError|CrashLoopBackOff)$/;
function findContainerTrouble(status: ContainerStatus, ours: boolean): Trouble | undefined {
  const { waiting, terminated } = status.state ?? {};
  // An app may fail until its dependencies run; mitmproxy has none.
  const ended = terminated ?? status.lastState?.terminated;
  if (ours && ended) return { text: `ended with exit code ${ended.exitCode}`, fatal: true };
  if (waiting?.reason && BROKEN.test(waiting.reason)) {
    const detail = waiting.message ? `: ${waiting.message}` : '';
    return { text: `${waiting.reason}, image ${status.image}${detail}`, fatal: true };
  }
  return undefined;
}

export function findWorkloadTrouble(workload: Workload): Trouble | undefined {
  const failure = workload.status?.conditions?.find(
    ({ type, status }) => type === 'ReplicaFailure' && status === 'True',
  );
  return failure && { text: `${workloadName(workload)}: ${failure.message ?? failure.reason}`, fatal: true };
}

export function hintFor(text: string): string | undefined {
  if (/Image/.test(text)) return 'choose another image with --image, or change --image-pull-policy';
  if (/quota|LimitRange|PodSecurity|forbidden/.test(text)) {
    return "the proxy's resources and securityContext are in templates/sidecar.yaml; --templates takes your own";
  }
  return undefined;
}
