import { isDeepStrictEqual } from 'node:util';
import { type KubeObject, toOwnerReference } from '../objects/object.ts';
import type { Registry } from '../store/registry.ts';
import { toCount } from './pods.ts';
import { hashTemplate } from './revision.ts';

const HASH = 'pod-template-hash';
const REVISION = 'deployment.kubernetes.io/revision';
const HISTORY = 'deployment.kubernetes.io/revision-history';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The ReplicaSets of a Deployment. */
export function listSets(registry: Registry, { metadata }: KubeObject): KubeObject[] {
  return registry
    .list('replicasets', metadata.namespace)
    .filter((set) => set.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid));
}

/** The ReplicaSet whose template is the Deployment's own. */
export function findSet(registry: Registry, deployment: KubeObject): KubeObject | undefined {
  return listSets(registry, deployment).find((set) =>
    isDeepStrictEqual(withoutHash(set.spec.template), deployment.spec.template),
  );
}

function withoutHash(template: KubeObject): unknown {
  const { [HASH]: _, ...labels } = template.metadata.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** Finds or makes the ReplicaSet of the Deployment's template, and makes it the latest revision. */
export function latestSet(registry: Registry, deployment: KubeObject): KubeObject {
  const set = findSet(registry, deployment) ?? createSet(registry, deployment);
  return promote(registry, deployment, set) ?? set;
}

function createSet(registry: Registry, deployment: KubeObject): KubeObject {
  const { template, selector, minReadySeconds } = deployment.spec;
  const { name, namespace } = deployment.metadata;
  const hash = hashTemplate(template);
  const labels = { ...template.metadata.labels, [HASH]: hash };
  const replicas = Math.max(0, Math.min(deployment.spec.replicas, roomIn(registry, deployment)));
  const set = registry.create('replicasets', {
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace && { namespace }),
      labels,
      annotations: annotationsFor(deployment, latest(registry, deployment) + 1),
      ownerReferences: [toOwnerReference(deployment)],
    },
    spec: {
      replicas,
      ...(minReadySeconds && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  });
  tellScaling(registry, deployment, set, 0);
  return set;
}

/** How many more pods a rollout may create now. */
export function roomIn(registry: Registry, deployment: KubeObject): number {
  const total = listSets(registry, deployment).reduce((sum, { spec }) => sum + spec.replicas, 0);
  return deployment.spec.replicas + readSurge(deployment) - total;
}

/** Records the event of a ReplicaSet's scaling. */
export function tellScaling(
  registry: Registry,
  deployment: KubeObject,
  set: KubeObject,
  before: number,
): void {
  const { replicas } = set.spec;
  if (replicas === before) return;
  const way = replicas > before ? 'up' : 'down';
  const message = `Scaled ${way} replica set ${set.metadata.name} from ${before} to ${replicas}`;
  registry.event(deployment, 'Normal', 'ScalingReplicaSet', message);
}

/** A ReplicaSet's revision, 0 without one. */
export function readRevision({ metadata }: KubeObject): number {
  return Number(metadata.annotations?.[REVISION] ?? 0);
}

function latest(registry: Registry, deployment: KubeObject): number {
  return Math.max(0, ...listSets(registry, deployment).map(readRevision));
}

function annotationsFor(deployment: KubeObject, revision: number): Record<string, string> {
  const { [LAST_APPLIED]: _, [REVISION]: __, ...own } = deployment.metadata.annotations ?? {};
  return { ...own, [REVISION]: String(revision), ...makeSizes(deployment) };
}

/** The annotations that tell a ReplicaSet its Deployment's size. */
export function makeSizes(deployment: KubeObject): Record<string, string> {
  const { replicas } = deployment.spec;
  return {
    'deployment.kubernetes.io/desired-replicas': String(replicas),
    'deployment.kubernetes.io/max-replicas': String(replicas + readSurge(deployment)),
  };
}

/** Makes a ReplicaSet the latest revision, even if it is an older one. */
function promote(registry: Registry, deployment: KubeObject, fresh: KubeObject): KubeObject | undefined {
  const own = readRevision(fresh);
  const newest = latest(registry, deployment);
  const revision = own < newest ? newest + 1 : own;
  registry.modify('deployments', deployment, ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations, [REVISION]: String(revision) };
  });
  return registry.modify('replicasets', fresh, ({ metadata, spec }) => {
    const { [HISTORY]: history, ...before } = metadata.annotations ?? {};
    // The revisions that it had before.
    const past = [history, own < revision ? String(own) : undefined].filter(Boolean).join(',');
    metadata.annotations = {
      ...before,
      ...annotationsFor(deployment, revision),
      ...(past && { [HISTORY]: past }),
    };
    if (deployment.spec.minReadySeconds) spec.minReadySeconds = deployment.spec.minReadySeconds;
    else delete spec.minReadySeconds;
  });
}

/** Deletes the oldest ReplicaSets without pods, beyond revisionHistoryLimit. */
export function cleanUp(registry: Registry, deployment: KubeObject): void {
  const fresh = findSet(registry, deployment);
  const old = listSets(registry, deployment)
    .filter(
      (set) => set.metadata.uid !== fresh?.metadata.uid && set.spec.replicas === 0 && !set.status?.replicas,
    )
    .sort((a, b) => readRevision(a) - readRevision(b));
  const surplus = Math.max(0, old.length - (deployment.spec.revisionHistoryLimit ?? 10));
  for (const set of old.slice(0, surplus)) registry.delete('replicasets', set);
}

/** maxSurge as a number of pods. */
function readSurge({ spec }: KubeObject): number {
  if (spec.strategy.type === 'Recreate') return 0;
  return toCount(spec.strategy.rollingUpdate?.maxSurge ?? '25%', spec.replicas, Math.ceil);
}

/** maxUnavailable as a number of pods: at least one if maxSurge is zero. */
export function readUnavailable(deployment: KubeObject): number {
  const { strategy, replicas } = deployment.spec;
  if (strategy.type === 'Recreate') return replicas;
  const most = toCount(strategy.rollingUpdate?.maxUnavailable ?? '25%', replicas, Math.floor);
  return most === 0 && readSurge(deployment) === 0 ? 1 : Math.min(most, replicas);
}
