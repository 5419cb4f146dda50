import type { Controller } from '../controller.ts';
import type { KubeObject } from '../object.ts';
import { formatQuantity, parseQuantity } from '../quantity.ts';
import { resourceOf } from '../resources/index.ts';

/** Counts what a namespace's pods use into the status of its ResourceQuotas. */
export const quotaController: Controller = {
  resource: resourceOf('resourcequotas'),
  concerns({ resource, object }, registry) {
    if (resource.plural === 'resourcequotas') return [object];
    return resource.plural === 'pods' ? registry.list('resourcequotas', object.metadata.namespace) : [];
  },
  reconcile(quota, registry) {
    const used = usageOf(quota.spec.hard, registry.list('pods', quota.metadata.namespace));
    registry.modify(
      'resourcequotas',
      quota,
      (draft) => {
        draft.status = { hard: quota.spec.hard, used };
      },
      { subresource: 'status' },
    );
    return undefined;
  },
};

type Amounts = Record<string, string>;

function usageOf(hard: Amounts, pods: KubeObject[]): Amounts {
  const counted = pods.filter(({ status }) => !['Succeeded', 'Failed'].includes(status?.phase));
  return Object.fromEntries(
    Object.keys(hard).map((resource) => {
      const sum = counted.reduce((total, pod) => total + (amountOf(pod, resource) ?? 0), 0);
      return [resource, formatQuantity(sum, resource)];
    }),
  );
}

/** How much of a quota's resource (`requests.cpu`, `pods`) a pod takes; undefined when a container does not say. */
function amountOf(pod: KubeObject, resource: string): number | undefined {
  if (resource === 'pods' || resource === 'count/pods') return 1;
  const [, kind = 'requests', name = ''] = /^(?:(requests|limits)\.)?(.+)$/.exec(resource) ?? [];
  const amounts = pod.spec.containers.map(({ resources }: KubeObject) => resources?.[kind]?.[name]);
  if (amounts.includes(undefined)) return undefined;
  return amounts.reduce((total: number, amount: string) => total + parseQuantity(amount), 0);
}

/** Why the quotas of a namespace forbid another pod, in the API server's words; undefined when they don't. */
export function exceeded(quotas: KubeObject[], pods: KubeObject[], pod: KubeObject): string | undefined {
  for (const { metadata, spec } of quotas) {
    const unsaid = Object.keys(spec.hard).filter((resource) => amountOf(pod, resource) === undefined);
    if (unsaid.length > 0) return `failed quota: ${metadata.name}: must specify ${unsaid.join(',')}`;
    const used = usageOf(spec.hard, pods);
    const over = Object.keys(spec.hard).filter(
      (resource) =>
        parseQuantity(used[resource] ?? '0') + (amountOf(pod, resource) ?? 0) >
        parseQuantity(spec.hard[resource]),
    );
    if (over.length === 0) continue;
    const say = (amount: (resource: string) => string) =>
      over.map((resource) => `${resource}=${amount(resource)}`).join(',');
    const requested = say((resource) => formatQuantity(amountOf(pod, resource) ?? 0, resource));
    const usage = say((resource) => used[resource] ?? '0');
    const limited = say((resource) => String(spec.hard[resource]));
    return `exceeded quota: ${metadata.name}, requested: ${requested}, used: ${usage}, limited: ${limited}`;
  }
  return undefined;
}
