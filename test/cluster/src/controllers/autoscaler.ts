import { findResource, resources } from '../kinds/index.ts';
import { type Condition, withCondition } from '../objects/condition.ts';
import { type KubeObject, now } from '../objects/object.ts';
import type { Registry } from '../store/registry.ts';
import type { Controller } from './controller.ts';

/** Keeps a workload's size between a HorizontalPodAutoscaler's bounds. There are no metrics, so it changes nothing else. */
export const autoscalerController: Controller = {
  resource: findResource('horizontalpodautoscalers'),
  concerns({ resource, object }, registry) {
    if (resource.plural === 'horizontalpodautoscalers') return [object];
    return registry.list('horizontalpodautoscalers', object.metadata.namespace).filter(
      ({
        spec: {
          scaleTargetRef: { kind, name },
        },
      }) => kind === resource.kind && name === object.metadata.name,
    );
  },
  reconcile(autoscaler, registry) {
    const target = targetOf(registry, autoscaler);
    if (typeof target === 'string') fail(registry, autoscaler, target);
    else follow(registry, autoscaler, target);
    return undefined;
  },
};

/** The workload to scale, or the reason why it cannot be found. */
function targetOf(registry: Registry, { metadata, spec }: KubeObject): KubeObject | string {
  const { apiVersion = 'v1', kind, name } = spec.scaleTargetRef;
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
  const resource = resources.find((resource) => resource.kind === kind && resource.group === group);
  if (!resource?.subresources.includes('scale')) return `no matches for kind "${kind}" in group "${group}"`;
  const found = registry.find(resource.plural, metadata.namespace, name);
  return found ?? `${resource.plural}.${group} "${name}" not found`;
}

function fail(registry: Registry, autoscaler: KubeObject, why: string): void {
  registry.event(autoscaler, 'Warning', 'FailedGetScale', why);
  const message = `the HPA controller was unable to get the target's current scale: ${why}`;
  tell(registry, autoscaler, {}, [
    { type: 'AbleToScale', status: 'False', reason: 'FailedGetScale', message },
  ]);
}

function follow(registry: Registry, autoscaler: KubeObject, target: KubeObject): void {
  const { minReplicas, maxReplicas } = autoscaler.spec;
  const current: number = target.spec.replicas;
  const desired = Math.max(minReplicas, Math.min(maxReplicas, current));
  if (current === 0)
    tell(registry, autoscaler, { currentReplicas: 0, desiredReplicas: 0 }, [FOUND, DISABLED]);
  else if (desired === current)
    tell(registry, autoscaler, { currentReplicas: current }, [FOUND, withoutMetrics(autoscaler)]);
  else rescale(registry, autoscaler, target, desired);
}

function rescale(registry: Registry, autoscaler: KubeObject, target: KubeObject, desired: number): void {
  const current: number = target.spec.replicas;
  const reason = desired < current ? 'above Spec.MaxReplicas' : 'below Spec.MinReplicas';
  registry.modify(resourceOfKind(target), target, ({ spec }) => {
    spec.replicas = desired;
  });
  const words = `New size: ${desired}; reason: Current number of replicas ${reason}`;
  registry.event(autoscaler, 'Normal', 'SuccessfulRescale', words);
  const message = `the HPA controller was able to update the target scale to ${desired}`;
  const counts = { currentReplicas: current, desiredReplicas: desired, lastScaleTime: now() };
  tell(registry, autoscaler, counts, [
    { type: 'AbleToScale', status: 'True', reason: 'SucceededRescale', message },
  ]);
}

function resourceOfKind({ kind }: KubeObject): string {
  return resources.find((resource) => resource.kind === kind)?.plural ?? '';
}

const FOUND: Condition = {
  ...{ type: 'AbleToScale', status: 'True', reason: 'SucceededGetScale' },
  message: "the HPA controller was able to get the target's current scale",
};

/** A workload that is scaled to zero is left alone. */
const DISABLED: Condition = {
  ...{ type: 'ScalingActive', status: 'False', reason: 'ScalingDisabled' },
  message: 'scaling is disabled since the replica count of the target is zero',
};

function withoutMetrics({ spec }: KubeObject): Condition {
  const [{ resource }] = spec.metrics;
  const why = `unable to get metrics for resource ${resource.name}: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)`;
  return {
    ...{ type: 'ScalingActive', status: 'False', reason: 'FailedGetResourceMetric' },
    message: `the HPA was unable to compute the replica count: failed to get ${resource.name} ${kindOf(resource.target)}: ${why}`,
  };
}

function kindOf({ type }: { type?: string }): string {
  return type === 'Utilization' ? 'utilization' : 'usage';
}

function tell(registry: Registry, autoscaler: KubeObject, counts: object, conditions: Condition[]): void {
  registry.modify(
    'horizontalpodautoscalers',
    autoscaler,
    (draft) => {
      const before: Condition[] = draft.status?.conditions ?? [];
      const all = conditions.reduce((kept, condition) => withCondition(kept, condition), before);
      draft.status = { desiredReplicas: 0, ...draft.status, ...counts, conditions: all };
    },
    { subresource: 'status' },
  );
}
