import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../util/error.ts';
import { type Kubectl, KubectlError } from './kubectl.ts';
import { isAlive, isReady, type Pod, selectorFlag, type Workload } from './objects.ts';
import { type RolloutOptions, readLastLines, waitForRollout } from './rollout.ts';
import { findSubresource, podPath } from './subresource.ts';
import { findPodTrouble } from './trouble.ts';
import { isReplacedByHand, podCounts, workloadName } from './workload.ts';

const POLL_MS = 500;

/**
 * Waits until a workload's pods follow its template. Evicts pods that no controller replaces; the user has agreed.
 * @throws UserError with the reason from the pod or the workload.
 */
export async function waitForPods(
  kubectl: Kubectl,
  workload: Workload,
  options: RolloutOptions,
): Promise<void> {
  if (isReplacedByHand(workload)) await replacePods(kubectl, workload, options);
  else await waitForRollout(kubectl, workload, options);
}

/** Evicts pods one at a time. Evictions respect disruption budgets. */
async function replacePods(
  kubectl: Kubectl,
  workload: Workload,
  { timeout, log, signal, isNew, container }: RolloutOptions,
): Promise<void> {
  const name = workloadName(workload);
  const began = Date.now();
  const apiVersion = await evictionVersion(kubectl);
  let why = 'its pods do not become ready';
  for (;;) {
    signal?.throwIfAborted();
    const pods = (await ownPods(kubectl, workload)).filter(isAlive);
    const outdated = pods.filter((pod) => !isNew(pod));
    const fresh = pods.filter(isNew);
    const { wanted } = podCounts(await kubectl.get<Workload>([name]));
    const ready = pods.filter(isReady).length;
    log.progress(`${name}: ${fresh.filter(isReady).length} of ${wanted} pods replaced`);
    const trouble = fresh
      .map((pod) => findPodTrouble(pod, container, Date.now() - began))
      .find((found) => found?.fatal);
    if (trouble)
      throw new UserError(trouble.text + (await readLastLines(kubectl, trouble)), { hint: trouble.hint });
    const [next] = outdated;
    if (!next && ready >= wanted) return;
    // A pod that is not ready gets no traffic, so it can go at any time.
    const goes = outdated.find((pod) => !isReady(pod)) ?? (ready >= wanted ? next : undefined);
    if (goes) why = (await evict(kubectl, goes, apiVersion)) ?? why;
    if (Date.now() - began > timeout * 1000)
      throw new UserError(`the pods of ${name} were not replaced in ${timeout} s: ${why}`);
    await sleep(POLL_MS);
  }
}

async function ownPods(kubectl: Kubectl, { metadata, spec }: Workload): Promise<Pod[]> {
  const pods = await kubectl.list<Pod>(['pods', '-l', selectorFlag(spec.selector.matchLabels ?? {})]);
  return pods.filter(({ metadata: { ownerReferences = [] } }) =>
    ownerReferences.some(({ uid, controller }) => controller && uid === metadata.uid),
  );
}

/** @returns why the pod can't be evicted now; undefined when it is evicted. */
async function evict(kubectl: Kubectl, pod: Pod, apiVersion: string): Promise<string | undefined> {
  const { name, namespace, uid } = pod.metadata;
  const eviction = {
    apiVersion,
    kind: 'Eviction',
    metadata: { name, namespace },
    deleteOptions: { preconditions: { uid } },
  };
  try {
    await kubectl.send('create', podPath(pod, 'eviction'), eviction);
    return undefined;
  } catch (error) {
    if (!(error instanceof KubectlError)) throw error;
    if (error.reason === 'TooManyRequests') return error.message;
    if (error.reason === 'NotFound' || error.reason === 'Conflict') return undefined;
    throw error;
  }
}

/** policy/v1 from Kubernetes 1.22 on, policy/v1beta1 before. */
async function evictionVersion(kubectl: Kubectl): Promise<string> {
  const { group = 'policy', version = 'v1' } = (await findSubresource(kubectl, 'eviction')) ?? {};
  return `${group}/${version}`;
}
