import { findResource } from '../kinds/index.ts';
import { sumUsage } from '../store/quota.ts';
import type { Controller } from './controller.ts';

/** Writes what a namespace's pods use into the status of its ResourceQuotas. */
export const quotaController: Controller = {
  resource: findResource('resourcequotas'),
  concerns({ resource, object }, registry) {
    if (resource.plural === 'resourcequotas') return [object];
    return resource.plural === 'pods' ? registry.list('resourcequotas', object.metadata.namespace) : [];
  },
  reconcile(quota, registry) {
    const { hard = {} } = quota.spec;
    const used = sumUsage(hard, registry.list('pods', quota.metadata.namespace));
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
