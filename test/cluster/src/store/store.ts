import { isDeepStrictEqual } from 'node:util';
import { type KubeObject, now } from '../objects/object.ts';
import type { Resource } from '../objects/resource.ts';
import { alreadyExists, conflict, notFound } from '../objects/status.ts';

export interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  resource: Resource;
  object: KubeObject;
  /** The object before the change; undefined for ADDED. */
  old?: KubeObject;
  version: number;
}

/** How many changes are kept for watches that start at an older version. */
const HISTORY = 10_000;

/**
 * Stores objects and their versions, and reports changes, as etcd does.
 * Stored objects are never changed in place.
 */
export class Store {
  #version = 1;
  #history: Change[] = [];
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #untold: Change[] = [];
  readonly #listeners = new Set<(change: Change) => void>();

  get version(): number {
    return this.#version;
  }

  find(resource: Resource, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#objects.get(resource.plural)?.get(key(namespace, name));
  }

  /** Lists objects, sorted by namespace and name like etcd's keys. */
  list(resource: Resource, namespace?: string): KubeObject[] {
    const all = [...(this.#objects.get(resource.plural) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    const objects = all.map(([, object]) => object);
    return namespace ? objects.filter(({ metadata }) => metadata.namespace === namespace) : objects;
  }

  /** Returns what create() would store, and stores nothing. */
  prepare(resource: Resource, object: KubeObject): KubeObject {
    const { namespace, name } = object.metadata;
    if (this.find(resource, namespace, name)) throw alreadyExists(resource, name);
    const metadata = { ...object.metadata, creationTimestamp: now() };
    return { ...object, metadata };
  }

  create(resource: Resource, object: KubeObject): KubeObject {
    return this.#put('ADDED', resource, this.prepare(resource, object));
  }

  /** @throws StatusError: Conflict when the object's version differs from the stored one's. */
  update(resource: Resource, object: KubeObject): KubeObject {
    const { namespace, name, resourceVersion } = object.metadata;
    const old = this.find(resource, namespace, name);
    if (!old) throw notFound(resource, name);
    if (resourceVersion && resourceVersion !== old.metadata.resourceVersion) throw conflict(resource, name);
    const { resourceVersion: version, uid, creationTimestamp } = old.metadata;
    const next = {
      ...object,
      metadata: { ...object.metadata, resourceVersion: version, uid, creationTimestamp },
    };
    // As in Kubernetes' etcd3 storage, a write that changes nothing makes no new version.
    return isDeepStrictEqual(next, old) ? old : this.#put('MODIFIED', resource, next, old);
  }

  remove(resource: Resource, object: KubeObject): void {
    const { namespace, name } = object.metadata;
    const old = this.find(resource, namespace, name);
    if (!old || old.metadata.uid !== object.metadata.uid) return;
    this.#objects.get(resource.plural)?.delete(key(namespace, name));
    this.#tell('DELETED', resource, old, old);
  }

  /** Calls a listener for every change, in order. Returns a function that unsubscribes. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The changes after a version; undefined if some are no longer kept. */
  since(version: number): Change[] | undefined {
    const oldest = this.#history[0]?.version ?? this.#version + 1;
    if (version + 1 < oldest && this.#history.length === HISTORY) return undefined;
    return this.#history.filter((change) => change.version > version);
  }

  #put(type: 'ADDED' | 'MODIFIED', resource: Resource, object: KubeObject, old?: KubeObject): KubeObject {
    const { namespace, name } = object.metadata;
    const stored = {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(this.#version + 1) },
    };
    const objects = this.#objects.get(resource.plural) ?? new Map<string, KubeObject>();
    this.#objects.set(resource.plural, objects.set(key(namespace, name), stored));
    this.#tell(type, resource, stored, old);
    return stored;
  }

  #tell(type: Change['type'], resource: Resource, object: KubeObject, old?: KubeObject): void {
    const version = ++this.#version;
    const told = type === 'DELETED' ? withVersion(object, version) : object;
    const change: Change = { type, resource, object: told, version, ...(old && { old }) };
    this.#history.push(change);
    if (this.#history.length > HISTORY) this.#history.shift();
    this.#untold.push(change);
    if (this.#untold.length === 1) this.#tellAll();
  }

  /** A listener's own change is reported after all listeners have got the previous one. */
  #tellAll(): void {
    for (let change = this.#untold[0]; change; change = this.#untold[0]) {
      for (const listener of [...this.#listeners]) listener(change);
      this.#untold.shift();
    }
  }
}

function key(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

function withVersion(object: KubeObject, version: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
}
