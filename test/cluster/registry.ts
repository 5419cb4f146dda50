import { randomBytes } from 'node:crypto';
import type { KubeObject } from './object.ts';
import type { Resource } from './resource.ts';
import { resources } from './resources/index.ts';
import { Store } from './store.ts';

/** How a write is meant. */
export interface WriteOptions {
  /** Judge it, and change nothing. */
  dryRun?: boolean;
  /** Only this part of the object is written. */
  subresource?: 'status';
}

export interface DeleteOptions {
  dryRun?: boolean;
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  preconditions?: { uid?: string; resourceVersion?: string };
}

/** The objects as the API server lets them be: every write is filled in, judged and admitted here, whoever makes it. */
export class Registry {
  readonly store = new Store();

  /** The resource of a plural name; it must exist. */
  resource(plural: string): Resource {
    const found = resources.find((resource) => resource.plural === plural);
    if (!found) throw new Error(`there is no resource ${plural}`);
    return found;
  }

  list(plural: string, namespace?: string): KubeObject[] {
    return this.store.list(this.resource(plural), namespace);
  }

  find(plural: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.store.find(this.resource(plural), namespace, name);
  }

  /** @throws StatusError: AlreadyExists, Invalid, Forbidden (quota) … */
  create(_plural: string, _object: Partial<KubeObject>, _options: WriteOptions = {}): KubeObject {
    throw new Error('to come');
  }

  /** Writes the whole object. @throws StatusError: NotFound, Conflict, Invalid … */
  update(_plural: string, _object: KubeObject, _options: WriteOptions = {}): KubeObject {
    throw new Error('to come');
  }

  /** Changes a copy of the stored object in place, and writes it; does nothing when it is gone. */
  modify(
    _plural: string,
    _object: KubeObject,
    _change: (draft: KubeObject) => void,
    _options: WriteOptions = {},
  ): KubeObject | undefined {
    throw new Error('to come');
  }

  /** Deletes as the API does: a pod that runs is only marked, and the kubelet ends it. */
  delete(_plural: string, _object: KubeObject, _options: DeleteOptions = {}): void {
    throw new Error('to come');
  }

  /** Records an event about an object; the same one again only counts. */
  event(_about: KubeObject, _type: 'Normal' | 'Warning', _reason: string, _message: string): void {
    throw new Error('to come');
  }
}

/** The end of a generated name, as Kubernetes makes it: five letters and digits that spell no words. */
export function nameSuffix(): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  return [...randomBytes(5)].map((byte) => alphabet[byte % alphabet.length]).join('');
}
