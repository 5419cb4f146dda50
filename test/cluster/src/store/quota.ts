import type { KubeObject } from '../objects/object.ts';
import { hasEnded, podAmount } from '../objects/pod.ts';
import { formatQuantity, parseQuantity } from '../objects/quantity.ts';
import { notImplemented } from '../objects/status.ts';

export type Amounts = Record<string, string>;

export function sumUsage(hard: Amounts, pods: KubeObject[]): Amounts {
  const counted = pods.filter((pod) => !hasEnded(pod));
  return Object.fromEntries(
    Object.keys(hard).map((resource) => {
      const sum = counted.reduce((total, pod) => total + sumRequest(pod, resource), 0);
      return [resource, formatQuantity(sum, resource)];
    }),
  );
}

/** Parses the name of a quota's limit: `requests.cpu`, or `cpu` for the same. */
function parseLimit(resource: string): ['requests' | 'limits', string] {
  const [, kind = 'requests', name = ''] = /^(?:(requests|limits)\.)?(cpu|memory)$/.exec(resource) ?? [];
  if (!name) throw notImplemented(`quotas of ${resource}`);
  return [kind as 'requests' | 'limits', name];
}

function countsPods(resource: string): boolean {
  return resource === 'pods' || resource === 'count/pods';
}

/** How much a pod takes of a quota's resource. */
function sumRequest({ spec }: KubeObject, resource: string): number {
  return countsPods(resource) ? 1 : podAmount(spec, ...parseLimit(resource));
}

/** Whether a container lacks the request or limit that a quota needs. */
function lacksAmount({ spec }: KubeObject, resource: string): boolean {
  if (countsPods(resource)) return false;
  const [kind, name] = parseLimit(resource);
  const containers: KubeObject[] = [...(spec.initContainers ?? []), ...spec.containers];
  return containers.some(({ resources }) => resources?.[kind]?.[name] === undefined);
}

/** Why quotas forbid another pod, as the API server words it; undefined if they allow it. */
export function findExceededQuota(
  quotas: KubeObject[],
  pods: KubeObject[],
  pod: KubeObject,
): string | undefined {
  for (const { metadata, spec } of quotas) {
    const resources = Object.keys(spec.hard ?? {}).sort();
    const unsaid = resources.filter((resource) => lacksAmount(pod, resource));
    if (unsaid.length > 0) return `failed quota: ${metadata.name}: must specify ${unsaid.join(',')}`;
    const used = sumUsage(spec.hard ?? {}, pods);
    const over = resources.filter(
      (resource) =>
        parseQuantity(used[resource] ?? '0') + sumRequest(pod, resource) > parseQuantity(spec.hard[resource]),
    );
    if (over.length === 0) continue;
    const say = (amount: (resource: string) => string) =>
      over.map((resource) => `${resource}=${amount(resource)}`).join(',');
    const requested = say((resource) => formatQuantity(sumRequest(pod, resource), resource));
    const usage = say((resource) => used[resource] ?? '0');
    const limited = say((resource) => String(spec.hard[resource]));
    return `exceeded quota: ${metadata.name}, requested: ${requested}, used: ${usage}, limited: ${limited}`;
  }
  return undefined;
}
