import { type Condition, findCondition, withCondition } from '../objects/condition.ts';
import { type KubeObject, now } from '../objects/object.ts';
import type { Registry } from '../store/registry.ts';
import { readUnavailable } from './deployment-sets.ts';

interface Counts {
  replicas: number;
  updatedReplicas: number;
  readyReplicas: number;
  availableReplicas: number;
}

/** Writes a Deployment's status; returns the ms until its progress deadline. */
export function tellDeployment(
  registry: Registry,
  deployment: KubeObject,
  sets: KubeObject[],
  fresh: KubeObject | undefined,
): number | undefined {
  const counts = count(sets, fresh);
  const wanted = sets.reduce((total, { spec }) => total + spec.replicas, 0);
  const missing = Math.max(0, wanted - counts.availableReplicas);
  const before = deployment.status ?? {};
  const progress = findProgress(deployment, fresh, counts);
  let conditions = touch(before.conditions ?? [], availability(deployment, counts), false);
  conditions = progress ? touch(conditions, progress, hasMoved(before, counts)) : conditions;
  const failure = sets.map(({ status }) => findCondition(status, 'ReplicaFailure')).find(Boolean);
  conditions = conditions.filter(({ type }) => type !== 'ReplicaFailure');
  if (failure)
    conditions = [...conditions, { ...failure, lastUpdateTime: failure.lastTransitionTime ?? now() }];
  const shown = Object.entries({ ...counts, unavailableReplicas: missing }).filter(
    ([, number]) => number > 0,
  );
  registry.modify(
    'deployments',
    deployment,
    (draft) => {
      draft.status = {
        observedGeneration: deployment.metadata.generation,
        ...Object.fromEntries(shown),
        conditions,
      };
    },
    { subresource: 'status' },
  );
  return untilDeadline(deployment, conditions);
}

function count(sets: KubeObject[], fresh: KubeObject | undefined): Counts {
  const sum = (field: string) => sets.reduce((total, { status }) => total + (status?.[field] ?? 0), 0);
  return {
    replicas: sum('replicas'),
    updatedReplicas: fresh?.status?.replicas ?? 0,
    readyReplicas: sum('readyReplicas'),
    availableReplicas: sum('availableReplicas'),
  };
}

function availability(deployment: KubeObject, { availableReplicas }: Counts): Condition {
  const enough = availableReplicas >= deployment.spec.replicas - readUnavailable(deployment);
  return {
    type: 'Available',
    status: enough ? 'True' : 'False',
    reason: enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: enough
      ? 'Deployment has minimum availability.'
      : 'Deployment does not have minimum availability.',
  };
}

/** The next Progressing condition; undefined if it stays. */
function findProgress(
  deployment: KubeObject,
  fresh: KubeObject | undefined,
  counts: Counts,
): Condition | undefined {
  const current = findCondition(deployment.status, 'Progressing');
  const say = (status: string, reason: string, message: string) => ({
    ...{ type: 'Progressing', status, reason, message },
  });
  if (deployment.spec.paused) return say('Unknown', 'DeploymentPaused', 'Deployment is paused');
  if (!fresh) return undefined;
  const which = `ReplicaSet "${fresh.metadata.name}"`;
  if (isDone(deployment, counts))
    return say('True', 'NewReplicaSetAvailable', `${which} has successfully progressed.`);
  if (!current?.message?.includes(`"${fresh.metadata.name}"`) && current?.reason !== 'DeploymentResumed') {
    if (!fresh.status)
      return say('True', 'NewReplicaSetCreated', `Created new replica set "${fresh.metadata.name}"`);
    if (current?.reason === 'DeploymentPaused')
      return say('Unknown', 'DeploymentResumed', 'Deployment is resumed');
    return say('True', 'FoundNewReplicaSet', `Found new replica set "${fresh.metadata.name}"`);
  }
  // A finished rollout stays finished when pods fail later.
  if (current.reason === 'NewReplicaSetAvailable') return undefined;
  if (hasMoved(deployment.status ?? {}, counts))
    return say('True', 'ReplicaSetUpdated', `${which} is progressing.`);
  if (findDeadline(deployment, current) > Date.now()) return undefined;
  return say('False', 'ProgressDeadlineExceeded', `${which} has timed out progressing.`);
}

/** Whether, by its status, all of a Deployment's pods have its template and are available. */
export function isComplete(deployment: KubeObject): boolean {
  const {
    updatedReplicas = 0,
    replicas = 0,
    availableReplicas = 0,
    observedGeneration,
  } = deployment.status ?? {};
  const isCurrent = observedGeneration === deployment.metadata.generation;
  return isCurrent && isDone(deployment, { updatedReplicas, replicas, availableReplicas });
}

function isDone({ spec }: KubeObject, counts: Omit<Counts, 'readyReplicas'>): boolean {
  return [counts.updatedReplicas, counts.replicas, counts.availableReplicas].every(
    (number) => number === spec.replicas,
  );
}

function findDeadline({ spec }: KubeObject, { lastUpdateTime = now() }: Condition): number {
  return Date.parse(lastUpdateTime) + (spec.progressDeadlineSeconds ?? 600) * 1000;
}

function hasMoved(before: Partial<Counts>, counts: Counts): boolean {
  const old = (before.replicas ?? 0) - (before.updatedReplicas ?? 0);
  return (
    counts.updatedReplicas > (before.updatedReplicas ?? 0) ||
    counts.replicas - counts.updatedReplicas < old ||
    counts.readyReplicas > (before.readyReplicas ?? 0) ||
    counts.availableReplicas > (before.availableReplicas ?? 0)
  );
}

/** Like withCondition; also sets the time of the last progress. */
function touch(conditions: Condition[], condition: Condition, moved: boolean): Condition[] {
  const old = conditions.find(({ type }) => type === condition.type);
  const same = old?.reason === condition.reason && old?.message === condition.message;
  const lastUpdateTime = same && !moved && old?.lastUpdateTime ? old.lastUpdateTime : now();
  const [next] = withCondition(conditions, condition).filter(({ type }) => type === condition.type);
  const others = conditions.filter(({ type }) => type !== condition.type);
  return next ? [...others, { ...next, lastUpdateTime }] : others;
}

function untilDeadline(deployment: KubeObject, conditions: Condition[]): number | undefined {
  const progress = conditions.find(({ type }) => type === 'Progressing');
  const ends = ['NewReplicaSetAvailable', 'ProgressDeadlineExceeded', 'DeploymentPaused'];
  if (!progress || ends.includes(progress.reason ?? '')) return undefined;
  return Math.max(0, findDeadline(deployment, progress) - Date.now()) + 50;
}
