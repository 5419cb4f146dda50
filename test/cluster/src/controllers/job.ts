import { findResource } from '../kinds/index.ts';
import { type Condition, findCondition, withCondition } from '../objects/condition.ts';
import { type KubeObject, now } from '../objects/object.ts';
import { hasEnded, isLeaving, isReady } from '../objects/pod.ts';
import type { Registry } from '../store/registry.ts';
import type { Controller } from './controller.ts';
import { adoptAndRelease, deletePod, findWorkloads, listPods, tryPod } from './pods.ts';

const RETRY_MS = 1000;

/** How long a Job waits after a failed pod, in ms: doubled each time. */
const BACK_OFF = { first: 10_000, most: 360_000 };

/** Makes a Job's pods until enough have succeeded or too many have failed. */
export const jobController: Controller = {
  resource: findResource('jobs'),
  concerns: (change, registry) => findWorkloads('jobs', change, registry),
  reconcile(job, registry) {
    if (isLeaving(job) || isFinished(job)) return undefined;
    adoptAndRelease(registry, job);
    const counts = countPods(registry, job);
    // Once it has a verdict or is suspended, its active pods are deleted.
    const verdict = findVerdict(job) ?? judge(job, counts);
    if (verdict || job.spec.suspend) for (const pod of counts.active) deletePod(registry, job, pod);
    const wait = verdict || job.spec.suspend ? undefined : step(registry, job, counts);
    tell(registry, job, verdict);
    return wait;
  },
};

function isFinished({ status }: KubeObject): boolean {
  return ['Complete', 'Failed'].some((type) => findCondition(status, type)?.status === 'True');
}

interface Counts {
  active: KubeObject[];
  leaving: number;
  succeeded: number;
  /** Failed pods that still exist. */
  failures: KubeObject[];
  failed: number;
}

/** A pod that was counted stays counted after its deletion. */
function countPods(registry: Registry, job: KubeObject): Counts {
  const pods = listPods(registry, job);
  const failures = pods.filter(({ status }) => status?.phase === 'Failed');
  const successes = pods.filter(({ status }) => status?.phase === 'Succeeded').length;
  const running = pods.filter((pod) => !hasEnded(pod));
  return {
    active: running.filter((pod) => !isLeaving(pod)),
    leaving: running.filter(isLeaving).length,
    succeeded: Math.max(successes, job.status?.succeeded ?? 0),
    failures,
    failed: Math.max(failures.length, job.status?.failed ?? 0),
  };
}

/** How a Job has ended. */
interface Verdict {
  type: 'Complete' | 'Failed';
  reason: string;
  message: string;
}

/** The condition that announces each verdict while pods still end. */
const COMES = { Complete: 'SuccessCriteriaMet', Failed: 'FailureTarget' } as const;

function findVerdict({ status }: KubeObject): Verdict | undefined {
  for (const type of ['Complete', 'Failed'] as const) {
    const condition = findCondition(status, COMES[type]);
    if (condition) return { type, reason: condition.reason ?? '', message: condition.message ?? '' };
  }
  return undefined;
}

function judge({ spec }: KubeObject, { active, succeeded, failed }: Counts): Verdict | undefined {
  const restarts = spec.template.spec.restartPolicy === 'OnFailure' ? countRestarts(active) : 0;
  const most = spec.backoffLimit;
  if (failed > most || (restarts > 0 && restarts >= most))
    return {
      type: 'Failed',
      reason: 'BackoffLimitExceeded',
      message: 'Job has reached the specified backoff limit',
    };
  // Without `completions`, one success completes the Job.
  const enough =
    spec.completions === undefined ? succeeded > 0 && active.length === 0 : succeeded >= spec.completions;
  const message = 'Reached expected number of succeeded pods';
  return enough ? { type: 'Complete', reason: 'CompletionsReached', message } : undefined;
}

function countRestarts(pods: KubeObject[]): number {
  const statuses = pods.flatMap(({ status }) => [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ]);
  return statuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
}

/** Creates or deletes pods as needed; returns after how many ms to reconcile again. */
function step(registry: Registry, job: KubeObject, counts: Counts): number | undefined {
  const { parallelism, completions } = job.spec;
  const { active, succeeded } = counts;
  const queued = succeeded > 0 ? active.length : parallelism;
  const wanted = completions === undefined ? queued : Math.min(parallelism, completions - succeeded);
  for (const pod of active.slice(wanted)) deletePod(registry, job, pod);
  const missing = wanted - active.length;
  if (missing <= 0) return undefined;
  const wait = untilNext(counts);
  if (wait > 0) return wait;
  for (let made = 0; made < missing; made++) if (tryPod(registry, job)) return RETRY_MS;
  return undefined;
}

function untilNext({ failures, failed }: Counts): number {
  const ends = failures.flatMap(({ status }) =>
    (status.containerStatuses ?? []).map(({ state }: KubeObject) =>
      Date.parse(state.terminated?.finishedAt ?? 0),
    ),
  );
  if (ends.length === 0) return 0;
  const wait = Math.min(BACK_OFF.first * 2 ** (failed - 1), BACK_OFF.most);
  return Math.max(0, Math.max(...ends) + wait - Date.now());
}

function tell(registry: Registry, job: KubeObject, verdict: Verdict | undefined): void {
  const { active, leaving, succeeded, failed } = countPods(registry, job);
  const { suspend } = job.spec;
  // A Job ends when its last pod has ended.
  const over = verdict && active.length + leaving === 0;
  registry.modify(
    'jobs',
    job,
    (draft) => {
      const before = draft.status ?? {};
      const startTime = before.startTime ?? (suspend ? undefined : now());
      const conditions = makeConditions(before.conditions, suspend, verdict, over === true);
      draft.status = {
        ...(conditions.length > 0 && { conditions }),
        ...(startTime && { startTime }),
        ...(over && verdict?.type === 'Complete' && { completionTime: now() }),
        ...(active.length > 0 && { active: active.length }),
        ready: active.filter(isReady).length,
        ...(succeeded > 0 && { succeeded }),
        ...(failed > 0 && { failed }),
        terminating: leaving,
      };
    },
    { subresource: 'status' },
  );
  if (!over || !verdict) return;
  if (verdict.type === 'Complete') registry.event(job, 'Normal', 'Completed', 'Job completed');
  else registry.event(job, 'Warning', verdict.reason, verdict.message);
}

function makeConditions(
  before: Condition[] = [],
  suspend: boolean,
  verdict: Verdict | undefined,
  over: boolean,
): Condition[] {
  let conditions = before;
  const say = (type: string, status: string, reason: string, message: string) => {
    conditions = withCondition(conditions, { type, status, reason, message });
  };
  if (suspend) say('Suspended', 'True', 'JobSuspended', 'Job suspended');
  else if (findCondition({ conditions }, 'Suspended')) say('Suspended', 'False', 'JobResumed', 'Job resumed');
  if (!verdict) return conditions;
  const { type, reason, message } = verdict;
  say(COMES[type], 'True', reason, message);
  if (over) say(type, 'True', reason, message);
  return conditions;
}
