import { findResource } from '../kinds/index.ts';
import { findCondition, withCondition } from '../objects/condition.ts';
import type { KubeObject } from '../objects/object.ts';
import { hasEnded, isLeaving, isReady, untilAvailable } from '../objects/pod.ts';
import type { StatusError } from '../objects/status.ts';
import type { Registry } from '../store/registry.ts';
import type { Controller } from './controller.ts';
import { adoptAndRelease, deletePod, findWorkloads, listPods, tryPod } from './pods.ts';

/** The shortest and the longest wait after a pod was refused, in ms. */
const RETRY_MS = { least: 1000, most: 10_000 };

/** Keeps the number of pods that a ReplicaSet asks for. */
export const replicaSetController: Controller = {
  resource: findResource('replicasets'),
  concerns: (change, registry) => findWorkloads('replicasets', change, registry),
  reconcile(set, registry) {
    if (!isLeaving(set)) adoptAndRelease(registry, set);
    const refusal = isLeaving(set) ? undefined : scale(registry, set, activeOf(registry, set));
    const wait = tell(registry, set, refusal);
    return refusal ? untilRetry(set) : wait;
  },
};

/** The pods that count. Pods that have ended stay for inspection, and are replaced. */
function activeOf(registry: Registry, set: KubeObject): KubeObject[] {
  return listPods(registry, set).filter((pod) => !isLeaving(pod) && !hasEnded(pod));
}

/** How long to wait: as long as pods have been refused so far, so that tries become rarer. */
function untilRetry({ status }: KubeObject): number {
  const since = findCondition(status, 'ReplicaFailure')?.lastTransitionTime;
  const age = since ? Date.now() - Date.parse(since) : 0;
  return Math.min(RETRY_MS.most, Math.max(RETRY_MS.least, age));
}

function scale(registry: Registry, set: KubeObject, pods: KubeObject[]): StatusError | undefined {
  const { replicas } = set.spec;
  for (let missing = replicas - pods.length; missing > 0; missing--) {
    const refusal = tryPod(registry, set);
    if (refusal) return refusal;
  }
  const surplus = pods.sort(byWorth).slice(0, Math.max(0, pods.length - replicas));
  for (const pod of surplus) deletePod(registry, set, pod);
  return undefined;
}

/** Sorts pods by which to delete first: without a node, not ready, young. */
function byWorth(a: KubeObject, b: KubeObject): number {
  return (
    Number(!!a.spec.nodeName) - Number(!!b.spec.nodeName) ||
    Number(isReady(a)) - Number(isReady(b)) ||
    b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp)
  );
}

/** Writes the status; returns the ms until the next pod becomes available. */
function tell(registry: Registry, set: KubeObject, refusal: StatusError | undefined): number | undefined {
  const pods = activeOf(registry, set);
  const waits = pods.map((pod) => untilAvailable(pod, set.spec.minReadySeconds));
  registry.modify(
    'replicasets',
    set,
    (draft) => {
      // The first message stays: the next ones differ only in the pod's name.
      const failure = findCondition(draft.status, 'ReplicaFailure') ?? {
        type: 'ReplicaFailure',
        status: 'True',
        reason: 'FailedCreate',
        message: refusal?.message ?? '',
      };
      const conditions = refusal ? withCondition(draft.status?.conditions, failure) : undefined;
      const ready = pods.filter(isReady).length;
      const available = waits.filter((wait) => wait === 0).length;
      draft.status = {
        replicas: pods.length,
        ...(pods.length > 0 && { fullyLabeledReplicas: pods.length }),
        ...(ready > 0 && { readyReplicas: ready }),
        ...(available > 0 && { availableReplicas: available }),
        observedGeneration: set.metadata.generation,
        ...(conditions && { conditions }),
      };
    },
    { subresource: 'status' },
  );
  const soonest = Math.min(...waits.filter((wait) => wait > 0));
  return Number.isFinite(soonest) ? soonest : undefined;
}
