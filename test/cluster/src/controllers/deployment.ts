import { findResource } from '../kinds/index.ts';
import type { KubeObject } from '../objects/object.ts';
import { hasEnded, isLeaving } from '../objects/pod.ts';
import type { Registry } from '../store/registry.ts';
import type { Controller } from './controller.ts';
import {
  cleanUp,
  findSet,
  latestSet,
  listSets,
  makeSizes,
  readRevision,
  readUnavailable,
  roomIn,
  tellScaling,
} from './deployment-sets.ts';
import { isComplete, tellDeployment } from './deployment-status.ts';
import { findOwners, listPods } from './pods.ts';

/** Rolls a Deployment's pods from the ReplicaSets of old templates to that of the current one. */
export const deploymentController: Controller = {
  resource: findResource('deployments'),
  concerns(change, registry) {
    // Recreate waits for pods that their ReplicaSet may no longer count.
    const sets = change.resource.plural === 'pods' ? findOwners('replicasets', 'pods', change, registry) : [];
    const deployments = sets.flatMap((set) =>
      registry
        .list('deployments', set.metadata.namespace)
        .filter(({ metadata }) => set.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid)),
    );
    return [...findOwners('deployments', 'replicasets', change, registry), ...deployments];
  },
  reconcile(deployment, registry) {
    if (isLeaving(deployment)) return undefined;
    if (deployment.spec.paused) rescale(registry, deployment);
    else if (deployment.spec.strategy.type === 'Recreate') recreate(registry, deployment);
    else roll(registry, deployment);
    if (deployment.spec.paused || isComplete(deployment)) cleanUp(registry, deployment);
    return tellDeployment(
      registry,
      deployment,
      listSets(registry, deployment),
      findSet(registry, deployment),
    );
  },
};

function roll(registry: Registry, deployment: KubeObject): void {
  const fresh = latestSet(registry, deployment);
  const { replicas } = deployment.spec;
  const room = roomIn(registry, deployment);
  const now = fresh.spec.replicas;
  if (now > replicas) scale(registry, deployment, fresh, replicas);
  else if (now < replicas && room > 0) scale(registry, deployment, fresh, Math.min(replicas, now + room));
  shrinkOld(registry, deployment, fresh);
}

function shrinkOld(registry: Registry, deployment: KubeObject, { metadata }: KubeObject): void {
  const sets = listSets(registry, deployment);
  const fresh = sets.find((set) => set.metadata.uid === metadata.uid);
  const old = sets.filter((set) => set !== fresh && set.spec.replicas > 0);
  if (!fresh) return;
  const least = deployment.spec.replicas - readUnavailable(deployment);
  const freshMissing = fresh.spec.replicas - (fresh.status?.availableReplicas ?? 0);
  let room = sum(sets, (set) => set.spec.replicas) - least - freshMissing;
  // Pods that are not available go first.
  for (const set of old) {
    const idle = Math.max(0, set.spec.replicas - (set.status?.availableReplicas ?? 0));
    const fewer = Math.min(idle, Math.max(0, room));
    if (fewer > 0) scale(registry, deployment, set, set.spec.replicas - fewer);
    room -= fewer;
  }
  let spare = sum(sets, (set) => set.status?.availableReplicas ?? 0) - least;
  for (const {
    metadata: { namespace, name },
  } of old) {
    const set = registry.find('replicasets', namespace, name);
    const fewer = Math.min(set?.spec.replicas ?? 0, Math.max(0, Math.min(room, spare)));
    if (set && fewer > 0) scale(registry, deployment, set, set.spec.replicas - fewer);
    room -= fewer;
    spare -= fewer;
  }
}

/** Removes all old pods before it makes the new ReplicaSet. */
function recreate(registry: Registry, deployment: KubeObject): void {
  const fresh = findSet(registry, deployment);
  const old = listSets(registry, deployment).filter((set) => set.metadata.uid !== fresh?.metadata.uid);
  for (const set of old) scale(registry, deployment, set, 0);
  if (old.some((set) => listPods(registry, set).some((pod) => !hasEnded(pod)))) return;
  scale(registry, deployment, latestSet(registry, deployment), deployment.spec.replicas);
}

/** While a rollout is paused, only its size changes. */
function rescale(registry: Registry, deployment: KubeObject): void {
  const sets = listSets(registry, deployment).sort((a, b) => readRevision(b) - readRevision(a));
  const [active, ...others] = sets.filter((set) => set.spec.replicas > 0);
  const newest = active ?? findSet(registry, deployment) ?? sets[0];
  if (!newest) return;
  const wanted = Math.max(0, deployment.spec.replicas - sum(others, (set) => set.spec.replicas));
  if (wanted !== newest.spec.replicas) scale(registry, deployment, newest, wanted);
}

function scale(registry: Registry, deployment: KubeObject, set: KubeObject, replicas: number): void {
  const before = set.spec.replicas;
  if (before === replicas) return;
  const scaled = registry.modify('replicasets', set, ({ spec, metadata }) => {
    spec.replicas = replicas;
    metadata.annotations = { ...metadata.annotations, ...makeSizes(deployment) };
  });
  if (scaled) tellScaling(registry, deployment, scaled, before);
}

function sum(sets: KubeObject[], count: (set: KubeObject) => number): number {
  return sets.reduce((total, set) => total + count(set), 0);
}
