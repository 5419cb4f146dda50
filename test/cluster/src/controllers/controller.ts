import type { KubeObject } from '../objects/object.ts';
import type { Resource } from '../objects/resource.ts';
import { StatusError } from '../objects/status.ts';
import type { Registry } from '../store/registry.ts';
import type { Change } from '../store/store.ts';

/** What a controller is: which objects a change is about, and how to bring one of them in order. */
export interface Controller {
  resource: Resource;
  /** The objects of `resource` that a change of any object concerns. */
  concerns(change: Change, registry: Registry): KubeObject[];
  /** Does the next step towards what the object asks for; returns ms after which to look again. */
  reconcile(object: KubeObject, registry: Registry): number | undefined;
}

/** Runs a controller: an object is looked at once for any number of changes, a failed step again after a while. */
export function run(controller: Controller, registry: Registry): void {
  const waiting = new Map<string, NodeJS.Timeout | NodeJS.Immediate>();

  function enqueue({ metadata: { namespace, name } }: KubeObject, ms = 0): void {
    const key = `${namespace ?? ''}/${name}`;
    const before = waiting.get(key);
    if (before && ms > 0) return;
    if (before) clearTimeout(before as NodeJS.Timeout);
    const timer = setTimeout(() => {
      waiting.delete(key);
      const object = registry.store.find(controller.resource, namespace, name);
      if (object) step(object);
    }, ms);
    waiting.set(key, timer);
  }

  function step(object: KubeObject): void {
    try {
      const again = controller.reconcile(object, registry);
      if (typeof again === 'number') enqueue(object, again);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      enqueue(object, 1000);
    }
  }

  registry.store.subscribe((change) => {
    for (const object of controller.concerns(change, registry)) enqueue(object);
  });
  for (const object of registry.store.list(controller.resource)) enqueue(object);
}
