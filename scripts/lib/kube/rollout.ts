import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { UserError } from '../util/error.ts';
import type { Log } from '../util/log.ts';
import { type Kubectl, KubectlError } from './kubectl.ts';
import {
  type ContainerStatus,
  containerStatus,
  isAlive,
  isReady,
  type Pod,
  selectorFlag,
  type Workload,
} from './objects.ts';
import { podCounts, workloadName } from './workload.ts';

/** Why a pod, or the pods of a workload, do not become ready. */
export interface Trouble {
  text: string;
  /** Waiting does not help. */
  fatal: boolean;
  /** The pod and container whose log may say more. */
  log?: { pod: string; container: string };
  hint?: string | undefined;
}

export interface RolloutOptions {
  /** How long to wait, in seconds. */
  timeout: number;
  log: Log;
  signal?: AbortSignal;
  /** Whether a pod already follows the changed template. */
  isNew: (pod: Pod) => boolean;
  /** The container that has no reason to fail even once; its exit ends the wait. */
  container?: string;
}

const POLL_MS = 1000;
/** How long a pod may stay unschedulable, in ms: an autoscaler or a pod that ends can make room. */
const UNSCHEDULABLE_MS = 10_000;

/**
 * Waits until a workload's pods follow its template. Shows the progress.
 * @throws UserError with the reason from the pod or the workload, seconds after Kubernetes knows it.
 */
export async function waitForRollout(
  kubectl: Kubectl,
  workload: Workload,
  options: RolloutOptions,
): Promise<void> {
  const giveUp = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, giveUp.signal]) : giveUp.signal;
  const started = Date.now();
  const rollout = followRollout(kubectl, workloadName(workload), started + options.timeout * 1000, signal);
  const done = rollout.then(
    () => true,
    () => true,
  );
  let trouble: Trouble | undefined;
  while (!(await Promise.race([done, sleep(POLL_MS).then(() => false)]))) {
    trouble = await lookForTrouble(kubectl, workload, Date.now() - started, options);
    if (!trouble?.fatal) continue;
    giveUp.abort();
    await done;
    throw new UserError(trouble.text + (await lastWords(kubectl, trouble)), { hint: hintFor(trouble.text) });
  }
  await rollout.catch((error: unknown) => {
    if (!(error instanceof KubectlError)) throw error;
    const why = trouble?.text ?? error.message;
    throw new UserError(`${workloadName(workload)} did not roll out in ${options.timeout} s: ${why}`);
  });
}

/** Waits with `kubectl rollout status`, and again when the API server was away for a while. */
async function followRollout(
  kubectl: Kubectl,
  name: string,
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const left = Math.max(1, Math.ceil((deadline - Date.now()) / 1000));
    try {
      await kubectl.run(['rollout', 'status', name, `--timeout=${left}s`], { signal });
      return;
    } catch (error) {
      const final = /timed out waiting|progress deadline|NotFound|Forbidden/;
      if (!(error instanceof KubectlError) || final.test(error.message) || Date.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
  }
}

async function lookForTrouble(
  kubectl: Kubectl,
  workload: Workload,
  waited: number,
  { log, isNew, container }: RolloutOptions,
): Promise<Trouble | undefined> {
  const name = workloadName(workload);
  const selector = selectorFlag(workload.spec.selector.matchLabels ?? {});
  try {
    const [current, pods] = await Promise.all([
      kubectl.get<Workload>([name]),
      kubectl.list<Pod>(['pods', '-l', selector]),
    ]);
    const fresh = pods.filter((pod) => isAlive(pod) && isNew(pod));
    const trouble =
      fresh.map((pod) => podTrouble(pod, container, waited)).find((found) => found !== undefined) ??
      workloadTrouble(current) ??
      (fresh.length === 0 && waited > 2 * POLL_MS ? await eventTrouble(kubectl, workload) : undefined);
    const { wanted } = podCounts(current);
    log.progress(
      `${name}: ${fresh.filter(isReady).length} of ${wanted} pods ready${trouble ? `; ${trouble.text}` : ''}`,
    );
    return trouble;
  } catch (error) {
    // The API server may be slow or restart. The timeout of the rollout ends the wait.
    if (error instanceof KubectlError) return { text: error.message, fatal: false };
    throw error;
  }
}

/** Why a pod does not become ready, if its status says so. Pure. */
export function podTrouble(pod: Pod, container: string | undefined, waited: number): Trouble | undefined {
  const name = `pod/${pod.metadata.name}`;
  const unscheduled = pod.status.conditions?.find(
    ({ type, status, reason }) => type === 'PodScheduled' && status === 'False' && reason === 'Unschedulable',
  );
  if (unscheduled) {
    return { text: `${name} can't be scheduled: ${unscheduled.message}`, fatal: waited > UNSCHEDULABLE_MS };
  }
  const statuses = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
  for (const status of statuses) {
    const trouble = containerTrouble(status, status.name === container);
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
export function proxyTrouble(pod: Pod, container: string): Trouble | undefined {
  const status = containerStatus(pod, container);
  const trouble = status && containerTrouble(status, true);
  if (!trouble) return undefined;
  const { name } = pod.metadata;
  const text = `pod/${name}, container ${container}: ${trouble.text}`;
  return { ...trouble, text, log: { pod: name, container }, hint: hintFor(text) };
}

const BROKEN =
  /^(ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|CreateContainer.*Error|RunContainerError|CrashLoopBackOff)$/;

function containerTrouble(status: ContainerStatus, ours: boolean): Trouble | undefined {
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

function workloadTrouble(workload: Workload): Trouble | undefined {
  const failure = workload.status?.conditions?.find(
    ({ type, status }) => type === 'ReplicaFailure' && status === 'True',
  );
  return failure && { text: `${workloadName(workload)}: ${failure.message ?? failure.reason}`, fatal: true };
}

/** StatefulSets and DaemonSets report only in an event why they can't create a pod. */
async function eventTrouble(kubectl: Kubectl, workload: Workload): Promise<Trouble | undefined> {
  const fields = `involvedObject.name=${workload.metadata.name},involvedObject.kind=${workload.kind},reason=FailedCreate`;
  const events = await kubectl
    .list<{ message: string; lastTimestamp?: string }>(['events', `--field-selector=${fields}`])
    .catch(() => []);
  const last = events.filter(({ lastTimestamp }) => isRecent(lastTimestamp)).at(-1);
  return last && { text: `${workloadName(workload)}: ${last.message}`, fatal: true };
}

function isRecent(timestamp: string | undefined): boolean {
  return timestamp !== undefined && Date.now() - Date.parse(timestamp) < 15_000;
}

/** The last lines of the log of a container that ended. */
export async function lastWords(kubectl: Kubectl, { log }: Trouble): Promise<string> {
  if (!log) return '';
  const args = ['logs', `pod/${log.pod}`, `--container=${log.container}`, '--tail=3'];
  // After a restart, the log that says why is the previous one; the restart may also happen now.
  for (const which of [['--previous'], [], ['--previous']]) {
    const words = await kubectl.run([...args, ...which]).catch(() => '');
    // The proxy has a terminal: its lines have colours, and end in CR LF.
    const plain = stripVTControlCharacters(words).replaceAll('\r', '').trim();
    if (plain) return `\n${plain}`;
  }
  return '';
}

function hintFor(text: string): string | undefined {
  if (/Image/.test(text)) return 'choose another image with --image, or change --image-pull-policy';
  if (/quota|LimitRange|PodSecurity|forbidden/.test(text)) {
    return "the proxy's resources and securityContext are in templates/sidecar.yaml; --templates takes your own";
  }
  return undefined;
}
