import { findResource, resources } from '../kinds/index.ts';
import type { KubeObject } from '../objects/object.ts';
import type { Registry } from '../store/registry.ts';
import type { Controller } from './controller.ts';

/** The garbage collector: deletes objects whose owners are gone. */
export const garbageControllers: Controller[] = resources.map(({ plural }) => ({
  resource: findResource(plural),
  concerns({ type, resource, object }, registry) {
    // This includes a new object whose owner does not exist.
    if (type === 'ADDED')
      return resource.plural === plural && object.metadata.ownerReferences ? [object] : [];
    if (type !== 'DELETED') return [];
    return registry.list(plural).filter((dependent) => refersTo(dependent, object));
  },
  reconcile(object, registry) {
    if (isOrphan(registry, object)) registry.delete(plural, object);
    return undefined;
  },
}));

function refersTo({ metadata }: KubeObject, owner: KubeObject): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) === true;
}

/** Whether all owners of an object are gone. */
function isOrphan(registry: Registry, { metadata }: KubeObject): boolean {
  const owners = metadata.ownerReferences ?? [];
  return owners.length > 0 && !owners.some(({ kind, uid }) => exists(registry, kind, uid));
}

function exists(registry: Registry, kind: string, uid: string): boolean {
  const resource = resources.find((resource) => resource.kind === kind);
  return !!resource && registry.list(resource.plural).some(({ metadata }) => metadata.uid === uid);
}
