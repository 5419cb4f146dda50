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

/** How long, in ms, until a pod that is ready counts as available; 0 when it does, Infinity when it isn't ready. */
export function untilAvailable({ status }: KubeObject, minReadySeconds = 0): number {
  const ready = findCondition(status, 'Ready');
  if (ready?.status !== 'True') return Number.POSITIVE_INFINITY;
  if (minReadySeconds === 0) return 0;
  return Math.max(0, Date.parse(ready.lastTransitionTime ?? now()) + minReadySeconds * 1000 - Date.now());
}

/** In how many ms the next of some pods becomes available; undefined when none is about to. */
export function untilNextAvailable(pods: KubeObject[], minReadySeconds?: number): number | undefined {
  const waits = pods.map((pod) => untilAvailable(pod, minReadySeconds)).filter((wait) => wait > 0);
  const soonest = Math.min(...waits);
  return Number.isFinite(soonest) ? soonest : undefined;
}

/** What a pod takes: all that run together, or one init container with the sidecars before it if that takes more. */
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
