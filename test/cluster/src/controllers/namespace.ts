import { findResource, resources } from '../kinds/index.ts';
import type { KubeObject } from '../objects/object.ts';
import type { Registry } from '../store/registry.ts';
import type { Controller } from './controller.ts';

/** Gives a new namespace its ServiceAccount and ConfigMap, and empties one that is being deleted. */
export const namespaceController: Controller = {
  resource: findResource('namespaces'),
  concerns({ type, resource, object }, registry) {
    if (resource.plural === 'namespaces') return [object];
    const namespace = registry.find('namespaces', undefined, object.metadata.namespace ?? '');
    return namespace && type === 'DELETED' ? [namespace] : [];
  },
  reconcile(namespace, registry) {
    if (namespace.metadata.deletionTimestamp) empty(registry, namespace);
    else fill(registry, namespace);
    return undefined;
  },
};

function fill(registry: Registry, { metadata: { name: namespace } }: KubeObject): void {
  if (!registry.find('serviceaccounts', namespace, 'default'))
    registry.create('serviceaccounts', { metadata: { name: 'default', namespace } });
  if (!registry.find('configmaps', namespace, 'kube-root-ca.crt'))
    registry.create('configmaps', {
      metadata: { name: 'kube-root-ca.crt', namespace },
      data: { 'ca.crt': '' },
    });
}

function empty(registry: Registry, namespace: KubeObject): void {
  const { name } = namespace.metadata;
  const inside = resources.filter(({ namespaced }) => namespaced);
  for (const { plural } of inside) {
    for (const object of registry.list(plural, name))
      if (!object.metadata.deletionTimestamp) registry.delete(plural, object);
  }
  if (inside.every(({ plural }) => registry.list(plural, name).length === 0))
    registry.store.remove(findResource('namespaces'), namespace);
}
