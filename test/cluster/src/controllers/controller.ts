import type { KubeObject } from '../objects/object.ts';
import type { Resource } from '../objects/resource.ts';
import { StatusError } from '../objects/status.ts';
import type { Registry } from '../store/registry.ts';
import type { Change } from '../store/store.ts';

/** A controller: the objects that a change concerns, and how to reconcile one. */
export interface Controller {
  resource: Resource;
  /** The objects of `resource` that a change concerns. */
  concerns(change: Change, registry: Registry): KubeObject[];
  /** Does the next step towards the object's spec; returns after how many ms to reconcile again. */
  reconcile(object: KubeObject, registry: Registry): number | undefined;
}

/** Runs a controller. Changes of an object are collected into one reconciliation; a failed one is repeated later. */
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
