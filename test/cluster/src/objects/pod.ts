import { findCondition } from './condition.ts';
import { isSidecar } from './container-spec.ts';
import { type KubeObject, now } from './object.ts';
import { parseQuantity } from './quantity.ts';

export function isReady({ status }: KubeObject): boolean {
  return findCondition(status, 'Ready')?.status === 'True';
}

export function isLeaving({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** Whether a pod has ended for good. */
export function hasEnded({ status }: KubeObject): boolean {
  return status?.phase === 'Failed' || status?.phase === 'Succeeded';
}

/** The ms until a ready pod counts as available: 0 if it does, Infinity if the pod is not ready. */
export function untilAvailable({ status }: KubeObject, minReadySeconds = 0): number {
  const ready = findCondition(status, 'Ready');
  if (ready?.status !== 'True') return Number.POSITIVE_INFINITY;
  if (minReadySeconds === 0) return 0;
  return Math.max(0, Date.parse(ready.lastTransitionTime ?? now()) + minReadySeconds * 1000 - Date.now());
}

/** The ms until the next of some pods becomes available; undefined if none will. */
export function untilNextAvailable(pods: KubeObject[], minReadySeconds?: number): number | undefined {
  const waits = pods.map((pod) => untilAvailable(pod, minReadySeconds)).filter((wait) => wait > 0);
  const soonest = Math.min(...waits);
  return Number.isFinite(soonest) ? soonest : undefined;
}

/** A pod's total request or limit: of all containers that run together, or, if more, of an init container and the sidecars before it. */
export function podAmount(spec: KubeObject['spec'], kind: 'requests' | 'limits', name: string): number {
  const amount = ({ resources }: KubeObject) => parseQuantity(resources?.[kind]?.[name] ?? '0');
  let sidecars = 0;
  let most = 0;
  for (const init of spec.initContainers ?? []) {
    if (isSidecar(init)) sidecars += amount(init);
    else most = Math.max(most, sidecars + amount(init));
  }
  return Math.max(
    most,
    spec.containers.reduce((sum: number, container: KubeObject) => sum + amount(container), sidecars),
  );
}
