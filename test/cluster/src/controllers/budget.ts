import { findResource, resources } from '../kinds/index.ts';
import { type Condition, withCondition } from '../objects/condition.ts';
import { findController, type KubeObject, matches } from '../objects/object.ts';
import { isLeaving, isReady } from '../objects/pod.ts';
import { formatResource } from '../objects/status.ts';
import type { Registry } from '../store/registry.ts';
import type { Controller } from './controller.ts';
import { toCount } from './pods.ts';

/** Counts into the status of a PodDisruptionBudget how many of its pods may be evicted now. */
export const budgetController: Controller = {
  resource: findResource('poddisruptionbudgets'),
  concerns({ resource, object, old }, registry) {
    if (resource.plural === 'poddisruptionbudgets') return [object];
    const budgets = registry.list('poddisruptionbudgets', object.metadata.namespace);
    // A workload tells how many pods are expected.
    if (resource.group === 'apps') return budgets;
    if (resource.plural !== 'pods') return [];
    return budgets.filter((budget) => covers(budget, object) || (old && covers(budget, old)));
  },
  reconcile(budget, registry) {
    const counts = countPods(registry, budget);
    registry.modify(
      'poddisruptionbudgets',
      budget,
      (draft) => {
        const observedGeneration = draft.metadata.generation ?? 1;
        draft.status = {
          ...counts.numbers,
          observedGeneration,
          conditions: withCondition(draft.status?.conditions, { ...counts.condition, observedGeneration }),
        };
      },
      { subresource: 'status' },
    );
    return undefined;
  },
};

/** Whether a budget covers a pod. An empty selector covers all, a missing one none. */
export function covers({ metadata, spec }: KubeObject, pod: KubeObject): boolean {
  if (!spec.selector || metadata.namespace !== pod.metadata.namespace) return false;
  return matches(spec.selector, pod.metadata.labels);
}

interface Counts {
  numbers: {
    disruptionsAllowed: number;
    currentHealthy: number;
    desiredHealthy: number;
    expectedPods: number;
  };
  condition: Condition;
}

function countPods(registry: Registry, budget: KubeObject): Counts {
  const pods = registry.list('pods', budget.metadata.namespace).filter((pod) => covers(budget, pod));
  const currentHealthy = pods.filter((pod) => isReady(pod) && !isLeaving(pod)).length;
  const { minAvailable, maxUnavailable } = budget.spec;
  const byNumber = typeof minAvailable === 'number';
  const total = byNumber ? pods.length : countWanted(registry, pods);
  // If the expected number of pods is unknown, no disruption is allowed.
  if (typeof total === 'string')
    return {
      numbers: { disruptionsAllowed: 0, currentHealthy, desiredHealthy: 0, expectedPods: 0 },
      condition: { type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: total },
    };
  const desiredHealthy =
    maxUnavailable === undefined
      ? toCount(minAvailable, total, Math.ceil)
      : Math.max(0, total - toCount(maxUnavailable, total, Math.ceil));
  const disruptionsAllowed = total > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
  return {
    numbers: { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods: total },
    condition: allowance(disruptionsAllowed),
  };
}

/** The condition DisruptionAllowed. */
export function allowance(disruptionsAllowed: number): Condition {
  const allowed = disruptionsAllowed > 0;
  return {
    ...{ type: 'DisruptionAllowed', status: allowed ? 'True' : 'False' },
    ...{ reason: allowed ? 'SufficientPods' : 'InsufficientPods', message: '' },
  };
}

/** How many pods the workloads of some pods want in total, or the reason why that is unknown. */
function countWanted(registry: Registry, pods: KubeObject[]): number | string {
  const makers = new Map<string, number>();
  for (const pod of pods) {
    const maker = findMaker(registry, pod);
    if (typeof maker === 'string') return maker;
    if (maker) makers.set(maker.metadata.uid, maker.spec.replicas);
  }
  return [...makers.values()].reduce((sum, replicas) => sum + replicas, 0);
}

/** The topmost controller of a pod, or the reason why it is unknown; undefined for a bare pod. */
function findMaker(registry: Registry, pod: KubeObject): KubeObject | string | undefined {
  let maker: KubeObject | undefined;
  for (let owner = findController(pod); owner; owner = maker && findController(maker)) {
    const { kind, name } = owner;
    const resource = resources.find((resource) => resource.kind === kind);
    const found = resource && registry.find(resource.plural, pod.metadata.namespace, name);
    if (!resource || !found) return `found no controllers for pod ${JSON.stringify(pod.metadata.name)}`;
    if (!resource.subresources.includes('scale'))
      return `${formatResource(resource)} does not implement the scale subresource`;
    maker = found;
  }
  return maker;
}
