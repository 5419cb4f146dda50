import { isDeepStrictEqual } from 'node:util';
import type { Controller } from '../controller.ts';
import { controlledBy, type KubeObject } from '../object.ts';
import type { Registry } from '../registry.ts';
import { resourceOf } from '../resources/index.ts';
import { tellDeployment } from './deployment-status.ts';
import { amountOf, isLeaving, ownersOf, podsOf } from './pods.ts';
import { hashOf } from './revision.ts';

const HASH = 'pod-template-hash';
const REVISION = 'deployment.kubernetes.io/revision';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Rolls a Deployment's pods from the ReplicaSet of one template to that of another. */
export const deploymentController: Controller = {
  resource: resourceOf('deployments'),
  concerns(change, registry) {
    // Recreate waits for pods, of which the ReplicaSet that made them may no longer count any.
    const sets = change.resource.plural === 'pods' ? ownersOf('replicasets', 'pods', change, registry) : [];
    const deployments = sets.flatMap((set) =>
      registry
        .list('deployments', set.metadata.namespace)
        .filter(({ metadata }) => set.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid)),
    );
    return [...ownersOf('deployments', 'replicasets', change, registry), ...deployments];
  },
  reconcile(deployment, registry) {
    if (isLeaving(deployment)) return undefined;
    const fresh = setOf(registry, deployment) ?? createSet(registry, deployment);
    if (fresh && !deployment.spec.paused) {
      promote(registry, deployment, fresh);
      if (deployment.spec.strategy.type === 'Recreate') recreate(registry, deployment, fresh);
      else roll(registry, deployment, fresh);
      cleanUp(registry, deployment, fresh);
    } else rescale(registry, deployment);
    return tellDeployment(registry, deployment, setsOf(registry, deployment), setOf(registry, deployment));
  },
};

// -- ReplicaSets

function setsOf(registry: Registry, { metadata }: KubeObject): KubeObject[] {
  return registry
    .list('replicasets', metadata.namespace)
    .filter((set) => set.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid));
}

/** The ReplicaSet whose template is the Deployment's own. */
function setOf(registry: Registry, deployment: KubeObject): KubeObject | undefined {
  return setsOf(registry, deployment).find((set) =>
    isDeepStrictEqual(withoutHash(set.spec.template), deployment.spec.template),
  );
}

function withoutHash(template: KubeObject): unknown {
  const { [HASH]: _, ...labels } = template.metadata.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

function createSet(registry: Registry, deployment: KubeObject): KubeObject | undefined {
  if (deployment.spec.paused) return undefined;
  const { template, selector, minReadySeconds } = deployment.spec;
  const { name, namespace } = deployment.metadata;
  const hash = hashOf(template);
  const labels = { ...template.metadata.labels, [HASH]: hash };
  const made = registry.create('replicasets', {
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace && { namespace }),
      labels,
      annotations: annotationsFor(deployment, latest(registry, deployment) + 1),
      ownerReferences: [controlledBy(deployment)],
    },
    spec: {
      replicas: 0,
      ...(minReadySeconds && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  });
  return made;
}

function latest(registry: Registry, deployment: KubeObject): number {
  const numbers = setsOf(registry, deployment).map((set) =>
    Number(set.metadata.annotations?.[REVISION] ?? 0),
  );
  return Math.max(0, ...numbers);
}

function annotationsFor(deployment: KubeObject, revision: number): Record<string, string> {
  const { [LAST_APPLIED]: _, [REVISION]: __, ...own } = deployment.metadata.annotations ?? {};
  const { replicas } = deployment.spec;
  return {
    ...own,
    [REVISION]: String(revision),
    'deployment.kubernetes.io/desired-replicas': String(replicas),
    'deployment.kubernetes.io/max-replicas': String(replicas + surgeOf(deployment)),
  };
}

/** Makes a ReplicaSet the latest revision, also one that was before. */
function promote(registry: Registry, deployment: KubeObject, fresh: KubeObject): void {
  const own = Number(fresh.metadata.annotations?.[REVISION] ?? 0);
  const newest = latest(registry, deployment);
  const revision = own < newest ? newest + 1 : own;
  registry.modify('replicasets', fresh, ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations, ...annotationsFor(deployment, revision) };
  });
  registry.modify('deployments', deployment, ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations, [REVISION]: String(revision) };
  });
}

/** Removes the oldest ReplicaSets without pods, beyond those kept for a way back. */
function cleanUp(registry: Registry, deployment: KubeObject, fresh: KubeObject): void {
  const old = setsOf(registry, deployment)
    .filter(
      (set) => set.metadata.uid !== fresh.metadata.uid && set.spec.replicas === 0 && !set.status?.replicas,
    )
    .sort((a, b) => Number(a.metadata.annotations?.[REVISION]) - Number(b.metadata.annotations?.[REVISION]));
  const surplus = Math.max(0, old.length - (deployment.spec.revisionHistoryLimit ?? 10));
  for (const set of old.slice(0, surplus)) registry.delete('replicasets', set);
}

// -- the ways from the old ones to the new one

function roll(registry: Registry, deployment: KubeObject, fresh: KubeObject): void {
  const { replicas } = deployment.spec;
  const sets = setsOf(registry, deployment);
  const total = sum(sets, (set) => set.spec.replicas);
  const room = replicas + surgeOf(deployment) - total;
  const now = fresh.spec.replicas;
  if (now > replicas) scale(registry, deployment, fresh, replicas);
  else if (now < replicas && room > 0) scale(registry, deployment, fresh, Math.min(replicas, now + room));
  shrinkOld(registry, deployment, fresh);
}

function shrinkOld(registry: Registry, deployment: KubeObject, { metadata }: KubeObject): void {
  const sets = setsOf(registry, deployment);
  const fresh = sets.find((set) => set.metadata.uid === metadata.uid);
  const old = sets.filter((set) => set !== fresh && set.spec.replicas > 0);
  if (!fresh) return;
  const least = deployment.spec.replicas - unavailableOf(deployment);
  const freshMissing = fresh.spec.replicas - (fresh.status?.availableReplicas ?? 0);
  let room = sum(sets, (set) => set.spec.replicas) - least - freshMissing;
  // Pods that are not available go first: nobody misses them.
  for (const set of old) {
    const idle = set.spec.replicas - (set.status?.availableReplicas ?? 0);
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

function recreate(registry: Registry, deployment: KubeObject, fresh: KubeObject): void {
  const old = setsOf(registry, deployment).filter((set) => set.metadata.uid !== fresh.metadata.uid);
  for (const set of old) if (set.spec.replicas > 0) scale(registry, deployment, set, 0);
  const gone = old.every((set) => podsOf(registry, set).length === 0);
  if (gone && fresh.spec.replicas !== deployment.spec.replicas)
    scale(registry, deployment, fresh, deployment.spec.replicas);
}

/** While a rollout is paused, only the number of pods follows. */
function rescale(registry: Registry, deployment: KubeObject): void {
  const [newest, ...others] = setsOf(registry, deployment)
    .filter((set) => set.spec.replicas > 0)
    .sort((a, b) => Number(b.metadata.annotations?.[REVISION]) - Number(a.metadata.annotations?.[REVISION]));
  if (!newest) return;
  const wanted = Math.max(0, deployment.spec.replicas - sum(others, (set) => set.spec.replicas));
  if (wanted !== newest.spec.replicas) scale(registry, deployment, newest, wanted);
}

function scale(registry: Registry, deployment: KubeObject, set: KubeObject, replicas: number): void {
  const before = set.spec.replicas;
  if (before === replicas) return;
  registry.modify('replicasets', set, ({ spec }) => {
    spec.replicas = replicas;
  });
  const way = replicas > before ? 'up' : 'down';
  const message = `Scaled ${way} replica set ${set.metadata.name} from ${before} to ${replicas}`;
  registry.event(deployment, 'Normal', 'ScalingReplicaSet', message);
}

// -- numbers

function surgeOf({ spec }: KubeObject): number {
  if (spec.strategy.type === 'Recreate') return 0;
  return amountOf(spec.strategy.rollingUpdate?.maxSurge ?? '25%', spec.replicas, Math.ceil);
}

/** How many pods may be missing during a rollout: one at least where there may be none more. */
export function unavailableOf(deployment: KubeObject): number {
  const { strategy, replicas } = deployment.spec;
  if (strategy.type === 'Recreate') return replicas;
  const most = amountOf(strategy.rollingUpdate?.maxUnavailable ?? '25%', replicas, Math.floor);
  return most === 0 && surgeOf(deployment) === 0 ? 1 : Math.min(most, replicas);
}

function sum(sets: KubeObject[], count: (set: KubeObject) => number): number {
  return sets.reduce((total, set) => total + count(set), 0);
}
