import {
  findController,
  type KubeObject,
  type LabelSelector,
  matches,
  toOwnerReference,
} from '../objects/object.ts';
import { hasEnded, isLeaving } from '../objects/pod.ts';
import { StatusError } from '../objects/status.ts';
import { type NewObject, nameSuffix, type Registry } from '../store/registry.ts';
import type { Change } from '../store/store.ts';

/** The pods that a controller owns, including those being deleted. */
export function listPods(registry: Registry, owner: KubeObject): KubeObject[] {
  return registry
    .list('pods', owner.metadata.namespace)
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid));
}

/** The objects of a resource that a change concerns: the changed one, or the owners of what changed. */
export function findOwners(
  plural: string,
  owned: string,
  { resource, object }: Change,
  registry: Registry,
): KubeObject[] {
  if (resource.plural === plural) return [object];
  if (resource.plural !== owned) return [];
  const uids = object.metadata.ownerReferences?.map(({ uid }) => uid) ?? [];
  return registry
    .list(plural, object.metadata.namespace)
    .filter(({ metadata }) => uids.includes(metadata.uid));
}

/** The workloads that a pod's change concerns: those that own or owned it, or might adopt it. */
export function findWorkloads(plural: string, change: Change, registry: Registry): KubeObject[] {
  const { resource, object, old } = change;
  if (resource.plural !== 'pods') return findOwners(plural, 'pods', change, registry);
  const pods = old ? [object, old] : [object];
  const uids = pods.flatMap((pod) => pod.metadata.ownerReferences?.map(({ uid }) => uid) ?? []);
  return registry
    .list(plural, object.metadata.namespace)
    .filter(({ metadata, spec }) => uids.includes(metadata.uid) || isFree(object, spec.selector));
}

function isFree(pod: KubeObject, selector: LabelSelector): boolean {
  return !findController(pod) && matches(selector, pod.metadata.labels);
}

/** Adopts pods that a workload selects and nobody controls; releases own pods that it no longer selects. */
export function adoptAndRelease(
  registry: Registry,
  owner: KubeObject,
  mayHave = (_pod: KubeObject) => true,
): void {
  const { namespace, uid } = owner.metadata;
  for (const pod of registry.list('pods', namespace)) {
    const isOwn = findController(pod)?.uid === uid;
    const isMeant = matches(owner.spec.selector, pod.metadata.labels);
    if (isOwn && !isMeant)
      registry.modify('pods', pod, ({ metadata }) => {
        metadata.ownerReferences = metadata.ownerReferences?.filter((other) => other.uid !== uid) ?? [];
      });
    else if (isMeant && !findController(pod) && !isLeaving(pod) && !hasEnded(pod) && mayHave(pod))
      registry.modify('pods', pod, ({ metadata }) => {
        metadata.ownerReferences = [...(metadata.ownerReferences ?? []), toOwnerReference(owner)];
      });
  }
}

/** What a pod has in addition to its controller's template. */
export interface PodParts {
  name?: string;
  labels?: object;
  spec?: object;
}

/**
 * Makes a pod from a controller's template, and records an event.
 * @throws StatusError when the API server refuses.
 */
function createPod(registry: Registry, owner: KubeObject, pod: PodParts = {}): KubeObject {
  const { template } = owner.spec;
  const { name, namespace } = owner.metadata;
  const object: NewObject = {
    metadata: {
      name: pod.name ?? `${name}-${nameSuffix()}`,
      generateName: `${name}-`,
      ...(namespace && { namespace }),
      labels: { ...template.metadata?.labels, ...pod.labels },
      ...(template.metadata?.annotations && { annotations: template.metadata.annotations }),
      ownerReferences: [toOwnerReference(owner)],
    },
    spec: { ...structuredClone(template.spec), ...pod.spec },
  };
  const made = registry.create('pods', object);
  registry.event(
    owner,
    'Normal',
    'SuccessfulCreate',
    formatPodEvent(owner, made.metadata.name, 'create', 'successful'),
  );
  return made;
}

/** The message of an event about a pod that was made, deleted or refused. */
function formatPodEvent(
  owner: KubeObject,
  pod: string,
  verb: 'create' | 'delete',
  how: 'successful' | Error,
): string {
  const did = verb === 'create' ? 'Created' : 'Deleted';
  if (owner.kind !== 'StatefulSet')
    return how instanceof Error ? `Error creating: ${how.message}` : `${did} pod: ${pod}`;
  const what = `${verb} Pod ${pod} in StatefulSet ${owner.metadata.name}`;
  return how instanceof Error ? `${what} failed error: ${how.message}` : `${what} successful`;
}

export function deletePod(registry: Registry, owner: KubeObject, pod: KubeObject): void {
  registry.delete('pods', pod);
  registry.event(
    owner,
    'Normal',
    'SuccessfulDelete',
    formatPodEvent(owner, pod.metadata.name, 'delete', 'successful'),
  );
}

/** Makes a pod; if it is refused, records an event and returns the refusal. */
export function tryPod(registry: Registry, owner: KubeObject, pod: PodParts = {}): StatusError | undefined {
  try {
    createPod(registry, owner, pod);
    return undefined;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    registry.event(owner, 'Warning', 'FailedCreate', formatPodEvent(owner, pod.name ?? '', 'create', error));
    return error;
  }
}

/** Converts a number, or a percentage of `total`, to a number of pods. */
export function toCount(
  value: number | string | undefined,
  total: number,
  round: (value: number) => number,
): number {
  if (typeof value === 'number') return value;
  return round((Number.parseInt(value ?? '0', 10) * total) / 100);
}
