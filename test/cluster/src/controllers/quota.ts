import { resourceOf } from '../kinds/index.ts';
import type { KubeObject } from '../objects/object.ts';
import { formatQuantity, parseQuantity } from '../objects/quantity.ts';
import { isSidecar } from '../objects/sidecar.ts';
import { notDone } from '../objects/status.ts';
import type { Controller } from './controller.ts';
import { hasEnded } from './pods.ts';

/** Counts what a namespace's pods use into the status of its ResourceQuotas. */
export const quotaController: Controller = {
  resource: resourceOf('resourcequotas'),
  concerns({ resource, object }, registry) {
    if (resource.plural === 'resourcequotas') return [object];
    return resource.plural === 'pods' ? registry.list('resourcequotas', object.metadata.namespace) : [];
  },
  reconcile(quota, registry) {
    const { hard = {} } = quota.spec;
    const used = usageOf(hard, registry.list('pods', quota.metadata.namespace));
    registry.modify(
      'resourcequotas',
      quota,
      (draft) => {
        draft.status = { hard, used };
      },
      { subresource: 'status' },
    );
    return undefined;
  },
};

type Amounts = Record<string, string>;

function usageOf(hard: Amounts, pods: KubeObject[]): Amounts {
  const counted = pods.filter((pod) => !hasEnded(pod));
  return Object.fromEntries(
    Object.keys(hard).map((resource) => {
      const sum = counted.reduce((total, pod) => total + amountOf(pod, resource), 0);
      return [resource, formatQuantity(sum, resource)];
    }),
  );
}

/** How a quota names what it limits: `requests.cpu`, or `cpu` for the same. */
function partsOf(resource: string): ['requests' | 'limits', string] {
  const [, kind = 'requests', name = ''] = /^(?:(requests|limits)\.)?(cpu|memory)$/.exec(resource) ?? [];
  if (!name) throw notDone(`quotas of ${resource}`);
  return [kind as 'requests' | 'limits', name];
}

function countsPods(resource: string): boolean {
  return resource === 'pods' || resource === 'count/pods';
}

/** How much of a quota's resource a pod takes. */
function amountOf({ spec }: KubeObject, resource: string): number {
  return countsPods(resource) ? 1 : podAmount(spec, ...partsOf(resource));
}

/** Whether a container does not say how much of a quota's resource it takes. */
function isUnsaid({ spec }: KubeObject, resource: string): boolean {
  if (countsPods(resource)) return false;
  const [kind, name] = partsOf(resource);
  const containers: KubeObject[] = [...(spec.initContainers ?? []), ...spec.containers];
  return containers.some(({ resources }) => resources?.[kind]?.[name] === undefined);
}

/** What a pod takes: all that run together, or one init container with the sidecars before it if that takes more. */
export function podAmount(spec: KubeObject['spec'], kind: 'requests' | 'limits', name: string): number {
  const amount = ({ resources }: KubeObject) => parseQuantity(resources?.[kind]?.[name] ?? '0');
  let sidecars = 0;
  let most = 0;
  for (const init of spec.initContainers ?? []) {
    if (isSidecar(init)) sidecars += amount(init);
    else most = Math.max(most, sidecars + amount(init));
  }
  return Math.max(
    most,
    spec.containers.reduce((sum: number, container: KubeObject) => sum + amount(container), sidecars),
  );
}

/** Why the quotas of a namespace forbid another pod, in the API server's words; undefined when they don't. */
export function exceeded(quotas: KubeObject[], pods: KubeObject[], pod: KubeObject): string | undefined {
  for (const { metadata, spec } of quotas) {
    const resources = Object.keys(spec.hard ?? {}).sort();
    const unsaid = resources.filter((resource) => isUnsaid(pod, resource));
    if (unsaid.length > 0) return `failed quota: ${metadata.name}: must specify ${unsaid.join(',')}`;
    const used = usageOf(spec.hard ?? {}, pods);
    const over = resources.filter(
      (resource) =>
        parseQuantity(used[resource] ?? '0') + amountOf(pod, resource) > parseQuantity(spec.hard[resource]),
    );
    if (over.length === 0) continue;
    const say = (amount: (resource: string) => string) =>
      over.map((resource) => `${resource}=${amount(resource)}`).join(',');
    const requested = say((resource) => formatQuantity(amountOf(pod, resource), resource));
    const usage = say((resource) => used[resource] ?? '0');
    const limited = say((resource) => String(spec.hard[resource]));
    return `exceeded quota: ${metadata.name}, requested: ${requested}, used: ${usage}, limited: ${limited}`;
  }
  return undefined;
}
