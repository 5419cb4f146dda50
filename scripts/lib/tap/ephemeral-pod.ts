import { setTimeout as sleep } from 'node:timers/promises';
import { retryOnConflict } from '../kube/conflict.ts';
import { type Kubectl, KubectlError } from '../kube/kubectl.ts';
import { hasContainerNamed, isAlive, isRunning, type Pod } from '../kube/objects.ts';
import { readLastLines } from '../kube/rollout.ts';
import { podPath } from '../kube/subresource.ts';
import { findProxyTrouble } from '../kube/trouble.ts';
import type { EphemeralContainer } from '../plan/ephemeral.ts';
import { paths, signals } from '../plan/pod-contract.ts';
import { UserError } from '../util/error.ts';
import { forEachInPool } from '../util/pool.ts';

/**
 * Adds an ephemeral container to a pod that does not have it.
 * @param options.dryRun only asks the API server whether it accepts the container.
 * @throws KubectlError when it does not.
 */
export async function addEphemeralContainer(
  kubectl: Kubectl,
  pod: Pod,
  container: EphemeralContainer,
  options: { dryRun?: boolean } = {},
): Promise<void> {
  await retryOnConflict(10, async (attempt) => {
    // The kubelet writes the pod's status all the time.
    const current = attempt === 1 ? pod : await kubectl.find<Pod>([`pod/${pod.metadata.name}`]);
    if (!current || hasContainerNamed(current, container.name)) return;
    const { spec } = current;
    const ephemeralContainers = [...(spec.ephemeralContainers ?? []), container];
    const path = podPath(current, 'ephemeralcontainers');
    const changed = { ...current, spec: { ...spec, ephemeralContainers } };
    await kubectl.send('replace', options.dryRun ? `${path}?dryRun=All` : path, changed);
  });
}

/** How often pods are read while proxies start or end, in ms. */
const POLL_MS = 250;
// The addon writes the file when its ports are open. It first waits until the app listens.
const READY = `until [ -e ${paths.ready} ]; do sleep 0.1; done`;
/**
 * Waits until the proxy in a pod listens.
 * @param options.timeout in seconds.
 * @returns false when the pod is gone or is being deleted.
 * @throws UserError when the proxy can't run, or does not listen in time.
 */
export async function waitForProxy(
  kubectl: Kubectl,
  pod: Pod,
  container: string,
  options: { timeout: number; signal?: AbortSignal | undefined },
): Promise<boolean> {
  const name = `pod/${pod.metadata.name}`;
  const deadline = Date.now() + options.timeout * 1000;
  for (;;) {
    options.signal?.throwIfAborted();
    const current = await kubectl.find<Pod>([name]);
    if (!current || current.metadata.uid !== pod.metadata.uid || !isAlive(current)) return false;
    const trouble = findProxyTrouble(current, container);
    if (trouble)
      throw new UserError(trouble.text + (await readLastLines(kubectl, trouble)), { hint: trouble.hint });
    const runs = isRunning(current, container);
    if (runs && (await isListening(kubectl, name, container, deadline, options.signal))) return true;
    if (Date.now() > deadline) {
      const why = runs ? "nothing listens on the app's port yet" : 'it does not run yet';
      throw new UserError(`the proxy in ${name} does not listen after ${options.timeout} s: ${why}`);
    }
    await sleep(POLL_MS);
  }
}

async function isListening(
  kubectl: Kubectl,
  name: string,
  container: string,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const late = AbortSignal.timeout(Math.max(0, deadline - Date.now()));
  try {
    const args = ['exec', name, `--container=${container}`, '--', 'sh', '-c', READY];
    await kubectl.run(args, { signal: signal ? AbortSignal.any([signal, late]) : late });
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof KubectlError && error.reason === 'Forbidden') throw error;
    // The container or the connection has ended, or the time is over. The pod's status says more.
    if (error instanceof KubectlError || late.aborted) return false;
    throw error;
  }
}
// To the addon, SIGUSR1 means the end of the tap, and SIGTERM the end of the pod.
const LEAVE = `kill -${signals.leave} "$(cat ${paths.pid})"`;
/** How often a proxy is told to end, in ms: one that just starts does not handle the signal yet. */
const TELL_AGAIN_MS = 2000;
/** How long a proxy may take to end, in ms: it closes open connections after 20 s, and gives followers 15 s. */
const LEAVE_MS = 60_000;
/**
 * Ends the proxies of a tap in all pods of the namespace, after its Service no longer points at them. Waits until they
 * have ended, also those that have not started yet.
 * @throws UserError for proxies that do not end.
 */
export async function endEphemeralProxies(kubectl: Kubectl, container: string): Promise<void> {
  const deadline = Date.now() + LEAVE_MS;
  for (let told = 0; ; await sleep(POLL_MS)) {
    const pods = await kubectl.list<Pod>(['pods']);
    const left = pods.filter((pod) => isAlive(pod) && isToEnd(pod, container));
    if (left.length === 0) return;
    if (Date.now() > deadline) {
      const names = left.map(({ metadata }) => `pod/${metadata.name}`).join(', ');
      throw new UserError(`the proxy still runs in ${names}`, {
        hint: 'it gets no traffic and ends with its pod; or run the same command again',
      });
    }
    if (Date.now() - told < TELL_AGAIN_MS) continue;
    told = Date.now();
    const running = left.filter((pod) => isRunning(pod, container));
    await forEachInPool(running, (pod) => tellToLeave(kubectl, pod, container));
  }
}

/** Whether a proxy runs or will run. One that can't start never runs. */
function isToEnd(pod: Pod, container: string): boolean {
  return hasContainerNamed(pod, container) && !findProxyTrouble(pod, container);
}

/** Ignores proxies that have ended or can't be reached: they get no more traffic. */
async function tellToLeave(kubectl: Kubectl, { metadata }: Pod, container: string): Promise<void> {
  const args = ['exec', `pod/${metadata.name}`, `--container=${container}`, '--', 'sh', '-c', LEAVE];
  await kubectl.run(args).catch((error: unknown) => {
    if (!(error instanceof KubectlError) || error.reason === 'Forbidden') throw error;
  });
}
