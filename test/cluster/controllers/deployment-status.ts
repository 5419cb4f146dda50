import { type KubeObject, now } from '../object.ts';
import type { Registry } from '../registry.ts';
import { unavailableOf } from './deployment.ts';
import { type Condition, conditionOf, withCondition } from './pods.ts';

interface Counts {
  replicas: number;
  updatedReplicas: number;
  readyReplicas: number;
  availableReplicas: number;
}

/** Writes a Deployment's status; returns in how many ms its deadline is over. */
export function tellDeployment(
  registry: Registry,
  deployment: KubeObject,
  sets: KubeObject[],
  fresh: KubeObject | undefined,
): number | undefined {
  const counts = count(sets, fresh);
  const missing = Math.max(0, counts.replicas - counts.availableReplicas);
  const before = deployment.status ?? {};
  const progress = progressOf(deployment, fresh, counts);
  let conditions = withCondition(before.conditions, availability(deployment, counts));
  conditions = progress ? touch(conditions, progress, hasMoved(before, counts)) : conditions;
  const failure = sets.map(({ status }) => conditionOf(status, 'ReplicaFailure')).find(Boolean);
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
  const enough = availableReplicas >= deployment.spec.replicas - unavailableOf(deployment);
  return {
    type: 'Available',
    status: enough ? 'True' : 'False',
    reason: enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: enough
      ? 'Deployment has minimum availability.'
      : 'Deployment does not have minimum availability.',
  };
}

/** What the Progressing condition is to say; undefined when it is to stay. */
function progressOf(
  deployment: KubeObject,
  fresh: KubeObject | undefined,
  counts: Counts,
): Condition | undefined {
  const type = 'Progressing';
  const current = conditionOf(deployment.status, type);
  if (deployment.spec.paused)
    return { type, status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' };
  if (!fresh) return undefined;
  const which = `ReplicaSet "${fresh.metadata.name}"`;
  if (isComplete(deployment, counts))
    return {
      type,
      status: 'True',
      reason: 'NewReplicaSetAvailable',
      message: `${which} has successfully progressed.`,
    };
  // Pods that fail later do not make a finished rollout unfinished.
  if (current?.reason === 'NewReplicaSetAvailable' && current.message?.startsWith(which)) return undefined;
  if (!hasMoved(deployment.status ?? {}, counts) && isOver(deployment, current, which))
    return {
      type,
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: `${which} has timed out progressing.`,
    };
  if (
    current?.status === 'False' &&
    current.message?.startsWith(which) &&
    !hasMoved(deployment.status ?? {}, counts)
  )
    return undefined;
  return { type, status: 'True', reason: 'ReplicaSetUpdated', message: `${which} is progressing.` };
}

function isComplete({ spec }: KubeObject, counts: Counts): boolean {
  return [counts.updatedReplicas, counts.replicas, counts.availableReplicas].every(
    (number) => number === spec.replicas,
  );
}

function isOver({ spec }: KubeObject, current: Condition | undefined, which: string): boolean {
  if (current?.status !== 'True' || !current.message?.startsWith(which)) return false;
  return (
    Date.parse(current.lastUpdateTime ?? now()) + (spec.progressDeadlineSeconds ?? 600) * 1000 <= Date.now()
  );
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

/** Like withCondition, with the time of the last progress. */
function touch(conditions: Condition[], condition: Condition, moved: boolean): Condition[] {
  const old = conditions.find(({ type }) => type === condition.type);
  const same = old?.reason === condition.reason && old?.message === condition.message;
  const lastUpdateTime = same && !moved && old?.lastUpdateTime ? old.lastUpdateTime : now();
  const [next] = withCondition(conditions, condition).filter(({ type }) => type === condition.type);
  const others = conditions.filter(({ type }) => type !== condition.type);
  return next ? [...others, { ...next, lastUpdateTime }] : others;
}

function untilDeadline({ spec }: KubeObject, conditions: Condition[]): number | undefined {
  const progress = conditions.find(({ type }) => type === 'Progressing');
  if (progress?.reason !== 'ReplicaSetUpdated') return undefined;
  const deadline =
    Date.parse(progress.lastUpdateTime ?? now()) + (spec.progressDeadlineSeconds ?? 600) * 1000;
  return Math.max(0, deadline - Date.now()) + 50;
}
