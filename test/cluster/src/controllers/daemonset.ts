import { findResource } from '../kinds/index.ts';
import { type KubeObject, matches } from '../objects/object.ts';
import { hasEnded, isLeaving, isReady, untilAvailable, untilNextAvailable } from '../objects/pod.ts';
import type { Registry } from '../store/registry.ts';
import type { Controller } from './controller.ts';
import { adoptAndRelease, deletePod, findWorkloads, listPods, tryPod } from './pods.ts';
import { hashTemplate, keepRevision } from './revision.ts';

const HASH = 'controller-revision-hash';
const RETRY_MS = 1000;

/** Keeps one pod of a DaemonSet on the node. */
export const daemonSetController: Controller = {
  resource: findResource('daemonsets'),
  concerns: (change, registry) => findWorkloads('daemonsets', change, registry),
  reconcile(set, registry) {
    if (!isLeaving(set)) adoptAndRelease(registry, set);
    const refused = isLeaving(set) ? false : step(registry, set);
    tell(registry, set);
    return refused ? RETRY_MS : untilNextAvailable(listPods(registry, set), set.spec.minReadySeconds);
  },
};

/** Does the next step; true when the pod was refused. */
function step(registry: Registry, set: KubeObject): boolean {
  keepRevision(registry, set);
  const pods = listPods(registry, set);
  const [pod] = pods.filter((pod) => !isLeaving(pod));
  const wanted = desired(registry, set) > 0;
  if (pod && (!wanted || hasEnded(pod) || isOutdated(set, pod))) deletePod(registry, set, pod);
  // The old pod must be gone first: a rolling update has no surge.
  if (pods.length > 0 || !wanted) return false;
  const labels = {
    [HASH]: hashTemplate(set.spec.template),
    'pod-template-generation': String(set.metadata.generation),
  };
  return tryPod(registry, set, { labels }) !== undefined;
}

/** The number of nodes that should run the pod: 1 or 0. */
function desired(registry: Registry, { spec }: KubeObject): number {
  const selector = { matchLabels: spec.template.spec.nodeSelector ?? {} };
  return registry.list('nodes').filter(({ metadata }) => matches(selector, metadata.labels)).length;
}

function isOutdated({ spec }: KubeObject, pod: KubeObject): boolean {
  return (
    spec.updateStrategy?.type !== 'OnDelete' && pod.metadata.labels?.[HASH] !== hashTemplate(spec.template)
  );
}

function tell(registry: Registry, set: KubeObject): void {
  const pods = listPods(registry, set).filter((pod) => !isLeaving(pod));
  const updated = pods.filter(
    (pod) => pod.metadata.labels?.[HASH] === hashTemplate(set.spec.template),
  ).length;
  const ready = pods.filter(isReady).length;
  const wanted = desired(registry, set);
  const available = pods.filter((pod) => untilAvailable(pod, set.spec.minReadySeconds) === 0).length;
  registry.modify(
    'daemonsets',
    set,
    (draft) => {
      draft.status = {
        currentNumberScheduled: pods.length,
        numberMisscheduled: 0,
        desiredNumberScheduled: wanted,
        numberReady: ready,
        observedGeneration: set.metadata.generation,
        ...(updated > 0 && { updatedNumberScheduled: updated }),
        ...(available > 0 && { numberAvailable: available }),
        ...(wanted > available && { numberUnavailable: wanted - available }),
      };
    },
    { subresource: 'status' },
  );
  registry.modify('daemonsets', set, ({ metadata }) => {
    metadata.annotations = {
      ...metadata.annotations,
      'deprecated.daemonset.template.generation': String(set.metadata.generation),
    };
  });
}
