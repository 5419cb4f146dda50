import { allowance, covers } from '../controllers/budget.ts';
import { withCondition } from '../objects/condition.ts';
import type { KubeObject } from '../objects/object.ts';
import { hasEnded, isLeaving, isReady } from '../objects/pod.ts';
import { badRequest, notFound, StatusError } from '../objects/status.ts';
import type { DeleteOptions, Registry } from '../store/registry.ts';

/** An Eviction object, as `kubectl drain` creates it. */
export interface Eviction {
  kind?: string;
  apiVersion?: string;
  metadata?: { name?: string };
  deleteOptions?: DeleteOptions & { dryRun?: unknown };
}

/**
 * Deletes a pod, unless a budget forbids it.
 * @throws StatusError: TooManyRequests when the budget allows no more disruptions.
 */
export function evict(
  registry: Registry,
  namespace: string | undefined,
  name: string,
  eviction: Eviction,
  dryRun: boolean,
): void {
  assertMeant(eviction, name);
  const pod = registry.find('pods', namespace, name);
  if (!pod) throw notFound(registry.resource('pods'), name);
  const budget = isProtected(pod) ? findBudget(registry, pod) : undefined;
  if (budget && !isSpare(budget, pod)) takeDisruption(registry, budget, dryRun);
  if (!dryRun) tellWhy(registry, pod);
  registry.delete('pods', pod, { ...eviction.deleteOptions, dryRun });
}

function assertMeant(
  { kind = 'Eviction', apiVersion = 'policy/v1', metadata }: Eviction,
  name: string,
): void {
  if (kind !== 'Eviction' || !/^policy\/v1(beta1)?$/.test(apiVersion))
    throw badRequest(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`,
    );
  if (metadata?.name !== name) throw badRequest('name in URL does not match name in Eviction object');
}

/** Whether budgets protect a pod: not before it runs, nor when it is leaving or has ended. */
function isProtected(pod: KubeObject): boolean {
  return !isLeaving(pod) && !hasEnded(pod) && pod.status?.phase !== 'Pending';
}

function findBudget(registry: Registry, pod: KubeObject): KubeObject | undefined {
  const budgets = registry.list('poddisruptionbudgets', pod.metadata.namespace);
  const [budget, another] = budgets.filter((budget) => covers(budget, pod));
  const several =
    'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
  if (another) throw new StatusError(500, '', several);
  return budget;
}

/** A pod that is not ready can be evicted while enough other pods are healthy. */
function isSpare({ spec, status }: KubeObject, pod: KubeObject): boolean {
  if (isReady(pod)) return false;
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

/** Takes one disruption off a budget's status; its controller recounts later. */
function takeDisruption(registry: Registry, budget: KubeObject, dryRun: boolean): void {
  const { name, generation = 1 } = budget.metadata;
  const {
    observedGeneration = 0,
    disruptionsAllowed = 0,
    desiredHealthy,
    currentHealthy,
  } = budget.status ?? {};
  if (observedGeneration < generation)
    throw tooMany(`The disruption budget ${name} is still being processed by the server.`, 10);
  if (disruptionsAllowed === 0)
    throw tooMany(
      `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
    );
  if (dryRun) return;
  const left = disruptionsAllowed - 1;
  registry.modify(
    'poddisruptionbudgets',
    budget,
    ({ status }) => {
      status.disruptionsAllowed = left;
      const condition = { ...allowance(left), observedGeneration };
      if (left === 0) status.conditions = withCondition(status.conditions, condition);
    },
    { subresource: 'status' },
  );
}

function tooMany(message: string, retryAfterSeconds?: number): StatusError {
  const causes = [{ reason: 'DisruptionBudget', message }];
  const details = { causes, ...(retryAfterSeconds && { retryAfterSeconds }) };
  const words = "Cannot evict pod as it would violate the pod's disruption budget.";
  return new StatusError(429, 'TooManyRequests', words, details);
}

function tellWhy(registry: Registry, pod: KubeObject): void {
  const why = { reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' };
  registry.modify(
    'pods',
    pod,
    ({ status }) => {
      status.conditions = withCondition(status.conditions, {
        ...{ type: 'DisruptionTarget', status: 'True' },
        ...why,
      });
    },
    { subresource: 'status' },
  );
}
