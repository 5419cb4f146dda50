import { findResource } from '../kinds/index.ts';
import type { KubeObject } from '../objects/object.ts';
import { hasEnded, isLeaving, isReady, untilAvailable, untilNextAvailable } from '../objects/pod.ts';
import type { Registry } from '../store/registry.ts';
import type { Controller } from './controller.ts';
import { adoptAndRelease, deletePod, findWorkloads, listPods, type PodParts, tryPod } from './pods.ts';
import { hashTemplate, keepRevision, templateAt } from './revision.ts';

const HASH = 'controller-revision-hash';
const RETRY_MS = 1000;

/** Keeps a StatefulSet's numbered pods; creates and replaces them in order. */
export const statefulSetController: Controller = {
  resource: findResource('statefulsets'),
  concerns: (change, registry) => findWorkloads('statefulsets', change, registry),
  reconcile(set, registry) {
    if (!isLeaving(set)) adoptAndRelease(registry, set, (pod) => isNamedAfter(set, pod));
    const refused = isLeaving(set) ? false : step(registry, set);
    tell(registry, set);
    return refused ? RETRY_MS : untilNextAvailable(listPods(registry, set), set.spec.minReadySeconds);
  },
};

/** Does the next step; true when a pod was refused. */
function step(registry: Registry, set: KubeObject): boolean {
  const { replicas, podManagementPolicy, minReadySeconds } = set.spec;
  keepRevision(registry, set);
  const ordered = podManagementPolicy !== 'Parallel';
  const pods = new Map(listPods(registry, set).map((pod) => [parseOrdinal(pod), pod]));
  for (let ordinal = 0; ordinal < replicas; ordinal++) {
    const pod = pods.get(ordinal);
    if (!pod) {
      if (tryPod(registry, ...podFor(registry, set, ordinal))) return true;
      if (ordered) return false;
    } else if (hasEnded(pod) && !isLeaving(pod)) {
      deletePod(registry, set, pod);
      if (ordered) return false;
    } else if (ordered && (isLeaving(pod) || untilAvailable(pod, minReadySeconds) > 0)) return false;
  }
  const surplus = [...pods.keys()].filter((ordinal) => ordinal >= replicas).sort((a, b) => b - a);
  for (const ordinal of surplus) {
    const pod = pods.get(ordinal) as KubeObject;
    if (!isLeaving(pod)) deletePod(registry, set, pod);
    if (ordered) return false;
  }
  update(registry, set, pods);
  return false;
}

/** Replaces pods of an older template, the last one first, each when those after it are ready. */
function update(registry: Registry, set: KubeObject, pods: Map<number, KubeObject>): void {
  const { replicas, updateStrategy, minReadySeconds } = set.spec;
  if (updateStrategy?.type === 'OnDelete') return;
  const revision = nameRevision(set);
  for (let ordinal = replicas - 1; ordinal >= (updateStrategy?.rollingUpdate?.partition ?? 0); ordinal--) {
    const pod = pods.get(ordinal);
    if (!pod || isLeaving(pod)) return;
    if (pod.metadata.labels?.[HASH] !== revision) {
      deletePod(registry, set, pod);
      return;
    }
    if (untilAvailable(pod, minReadySeconds) > 0) return;
  }
}

/** Makes a pod of the current template, or of the previous one if the partition says so. */
function podFor(registry: Registry, set: KubeObject, ordinal: number): [KubeObject, PodParts] {
  const name = `${set.metadata.name}-${ordinal}`;
  const { currentRevision } = set.status ?? {};
  const before = templateAt(registry, set, currentRevision);
  const isHeld = before !== undefined && ordinal < (set.spec.updateStrategy?.rollingUpdate?.partition ?? 0);
  const owner = isHeld ? { ...set, spec: { ...set.spec, template: before } } : set;
  const labels = {
    [HASH]: isHeld ? currentRevision : nameRevision(set),
    'statefulset.kubernetes.io/pod-name': name,
    'apps.kubernetes.io/pod-index': String(ordinal),
  };
  return [owner, { name, labels, spec: { hostname: name, subdomain: set.spec.serviceName } }];
}

/** Only a pod with a name of the set can belong to it. */
function isNamedAfter({ metadata: { name } }: KubeObject, pod: KubeObject): boolean {
  return pod.metadata.name === `${name}-${parseOrdinal(pod)}`;
}

function parseOrdinal({ metadata }: KubeObject): number {
  return Number(/-(\d+)$/.exec(metadata.name)?.[1]);
}

function nameRevision({ metadata, spec }: KubeObject): string {
  return `${metadata.name}-${hashTemplate(spec.template)}`;
}

function tell(registry: Registry, set: KubeObject): void {
  const pods = listPods(registry, set).filter((pod) => !hasEnded(pod));
  const updateRevision = nameRevision(set);
  const updated = pods.filter((pod) => pod.metadata.labels?.[HASH] === updateRevision && !isLeaving(pod));
  const ready = pods.filter((pod) => isReady(pod) && !isLeaving(pod));
  const available = ready.filter((pod) => untilAvailable(pod, set.spec.minReadySeconds) === 0);
  const rolls = set.spec.updateStrategy?.type !== 'OnDelete';
  const complete = rolls && updated.length === pods.length && ready.length === pods.length;
  registry.modify(
    'statefulsets',
    set,
    (draft) => {
      const before = draft.status?.currentRevision ?? updateRevision;
      const currentRevision = complete ? updateRevision : before;
      const current = pods.filter(
        (pod) => pod.metadata.labels?.[HASH] === currentRevision && !isLeaving(pod),
      );
      draft.status = {
        observedGeneration: set.metadata.generation,
        replicas: pods.length,
        ...(ready.length > 0 && { readyReplicas: ready.length }),
        availableReplicas: available.length,
        ...(current.length > 0 && { currentReplicas: current.length }),
        ...(updated.length > 0 && { updatedReplicas: updated.length }),
        currentRevision,
        updateRevision,
        collisionCount: 0,
      };
    },
    { subresource: 'status' },
  );
}
