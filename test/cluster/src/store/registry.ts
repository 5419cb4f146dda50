import { randomBytes, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { findResource } from '../kinds/index.ts';
import { type KubeObject, now } from '../objects/object.ts';
import type { Part, Resource } from '../objects/resource.ts';
import { toSchema, withoutEmpty } from '../objects/schema.ts';
import { conflict, invalid, notFound, StatusError } from '../objects/status.ts';
import { admit, admitSecurity } from './admission.ts';
import type { Reader } from './reader.ts';
import { Store } from './store.ts';

/** The options of a write. */
export interface WriteOptions {
  /** Validates without changing anything. */
  dryRun?: boolean;
  /** Writes only this subresource. */
  subresource?: Part;
}

export interface DeleteOptions {
  dryRun?: boolean;
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string; resourceVersion?: string };
}

/** All writes of objects go through here, and are defaulted, validated and admitted. */
export class Registry implements Reader {
  readonly store = new Store();

  /** Finds a resource by its plural name. @throws Error when there is none. */
  resource(plural: string): Resource {
    return findResource(plural);
  }

  list(plural: string, namespace?: string): KubeObject[] {
    return this.store.list(this.resource(plural), namespace);
  }

  find(plural: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.store.find(this.resource(plural), namespace, name);
  }

  /** @throws StatusError: AlreadyExists, Invalid, Forbidden (quota) … */
  create(plural: string, given: NewObject, options: WriteOptions = {}): KubeObject {
    const resource = this.resource(plural);
    const object = withoutEmpty(toSchema(resource), given) as KubeObject;
    const { metadata } = object;
    if (!metadata.name && metadata.generateName) metadata.name = metadata.generateName + nameSuffix();
    if (!resource.namespaced) delete metadata.namespace;
    metadata.uid = randomUUID();
    object.apiVersion = resource.group ? `${resource.group}/${resource.version}` : resource.version;
    object.kind = resource.kind;
    if (hasGeneration(resource)) metadata.generation = 1;
    if (resource.subresources.includes('status')) startStatus(object);
    resource.setDefaults?.(object);
    assertValid(resource, object);
    admit(this, resource, object);
    return options.dryRun ? this.store.prepare(resource, object) : this.store.create(resource, object);
  }

  /** Writes the whole object. @throws StatusError: NotFound, Conflict, Invalid … */
  update(plural: string, given: KubeObject, options: WriteOptions = {}): KubeObject {
    const resource = this.resource(plural);
    const { namespace, name } = given.metadata;
    const old = this.store.find(resource, namespace, name);
    if (!old) throw notFound(resource, name);
    if (given.metadata.resourceVersion && given.metadata.resourceVersion !== old.metadata.resourceVersion)
      throw conflict(resource, name);
    const object = this.#next(resource, withoutEmpty(toSchema(resource), given) as KubeObject, old, options);
    if (options.dryRun) return object;
    const stored = this.store.update(resource, object);
    if (stored.metadata.deletionTimestamp && isRemovable(stored) && isRemovable(old) === false)
      this.store.remove(resource, stored);
    return stored;
  }

  #next(resource: Resource, object: KubeObject, old: KubeObject, options: WriteOptions): KubeObject {
    if (options.subresource === 'status') return { ...old, status: object.status };
    const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, resourceVersion } =
      old.metadata;
    if (object.metadata.uid && object.metadata.uid !== uid) throw conflict(resource, old.metadata.name);
    if (options.subresource === 'ephemeralcontainers') return this.#withEphemeral(resource, object, old);
    Object.assign(object.metadata, { uid, creationTimestamp, resourceVersion });
    if (deletionTimestamp) Object.assign(object.metadata, { deletionTimestamp, deletionGracePeriodSeconds });
    if (old.metadata.generation) object.metadata.generation = old.metadata.generation;
    if (resource.subresources.includes('status')) restoreStatus(object, old);
    resource.setDefaults?.(object);
    assertValid(resource, object, old);
    if (hasGeneration(resource) && !isDeepStrictEqual(object.spec, old.spec))
      object.metadata.generation = (old.metadata.generation ?? 0) + 1;
    return object;
  }

  /** The stored pod with the ephemeral containers of `object`, and nothing else from it. */
  #withEphemeral(resource: Resource, { spec }: KubeObject, old: KubeObject): KubeObject {
    const { ephemeralContainers: _, ...rest } = structuredClone(old.spec);
    const added = spec?.ephemeralContainers && { ephemeralContainers: spec.ephemeralContainers };
    const pod = { ...old, spec: { ...rest, ...added } };
    resource.setDefaults?.(pod);
    assertValid(resource, pod, old, 'ephemeralcontainers');
    admitSecurity(this, resource, pod);
    return pod;
  }

  /** Changes a copy of the stored object, and writes it; does nothing if it is gone. */
  modify(
    plural: string,
    { metadata }: Pick<KubeObject, 'metadata'>,
    change: (draft: KubeObject) => void,
    options: WriteOptions = {},
  ): KubeObject | undefined {
    const object = this.find(plural, metadata.namespace, metadata.name);
    if (!object || object.metadata.uid !== metadata.uid) return undefined;
    const draft = structuredClone(object);
    change(draft);
    return this.update(plural, draft, options);
  }

  /** Deletes as the API does: a running pod is only marked, and the kubelet ends it. */
  delete(
    plural: string,
    { metadata }: Pick<KubeObject, 'metadata'>,
    options: DeleteOptions = {},
  ): KubeObject {
    const resource = this.resource(plural);
    const object = this.store.find(resource, metadata.namespace, metadata.name);
    if (!object) throw notFound(resource, metadata.name);
    const { uid, resourceVersion } = options.preconditions ?? {};
    if (uid && uid !== object.metadata.uid)
      throw preconditionFailed(resource, object, 'UID', uid, object.metadata.uid);
    if (resourceVersion && resourceVersion !== object.metadata.resourceVersion)
      throw preconditionFailed(
        resource,
        object,
        'ResourceVersion',
        resourceVersion,
        object.metadata.resourceVersion,
      );
    if (options.dryRun) return object;
    const grace = findGracePeriod(plural, object, options);
    if (grace === 0 && isRemovable(object)) this.store.remove(resource, object);
    else return this.#mark(resource, object, grace);
    return object;
  }

  /** Marks an object as being deleted: the kubelet, or the owner of a finalizer, finishes it. */
  #mark(resource: Resource, object: KubeObject, grace: number): KubeObject {
    const before = object.metadata.deletionGracePeriodSeconds;
    if (object.metadata.deletionTimestamp && (before ?? 0) <= grace) return object;
    const deletionTimestamp = now(grace);
    const metadata = { ...object.metadata, deletionTimestamp, deletionGracePeriodSeconds: grace };
    const status = resource.plural === 'namespaces' ? { phase: 'Terminating' } : object.status;
    return this.store.update(resource, { ...object, metadata, ...(status && { status }) });
  }

  /** Records an event about an object; a repeated one only increases its count. */
  event(
    about: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    fieldPath?: string,
  ): void {
    const { namespace = 'default', name, uid, resourceVersion } = about.metadata;
    const same = this.list('events', namespace).find(
      (event) => event.involvedObject.uid === uid && event.reason === reason && event.message === message,
    );
    if (same) {
      this.modify('events', same, (event) =>
        Object.assign(event, { count: event.count + 1, lastTimestamp: now() }),
      );
      return;
    }
    const { apiVersion, kind } = about;
    if (this.find('namespaces', undefined, namespace)?.metadata.deletionTimestamp !== undefined) return;
    this.create('events', {
      metadata: { name: `${name}.${randomBytes(8).toString('hex')}`, namespace },
      involvedObject: {
        apiVersion,
        kind,
        namespace,
        name,
        uid,
        resourceVersion,
        ...(fieldPath && { fieldPath }),
      },
      ...{ type, reason, message, count: 1, firstTimestamp: now(), lastTimestamp: now() },
      source: { component: fieldPath ? 'kubelet' : findSource(kind, reason) },
    });
  }
}

/** An object to create, with any part of the metadata. */
export interface NewObject {
  metadata: Partial<KubeObject['metadata']>;
  // biome-ignore lint/suspicious/noExplicitAny: as in KubeObject
  [field: string]: any;
}

/** The phase of a new object. */
const FIRST_PHASE: Record<string, string> = { Namespace: 'Active', Pod: 'Pending' };

function startStatus(object: KubeObject): void {
  const phase = FIRST_PHASE[object.kind];
  if (phase) object.status = { phase };
  else delete object.status;
  if (object.kind === 'Pod') object.status.qosClass = findQuality(object);
  if (object.kind === 'Namespace') object.spec = { ...object.spec, finalizers: ['kubernetes'] };
}

/** A pod's quality-of-service class, from its containers' requests and limits. */
function findQuality({ spec }: KubeObject): string {
  const containers: KubeObject[] = [...(spec.initContainers ?? []), ...spec.containers];
  const resources = containers.map((container) => container.resources ?? {});
  if (resources.every(({ requests, limits }: KubeObject) => !requests && !limits)) return 'BestEffort';
  const same = ({ requests, limits }: KubeObject) =>
    ['cpu', 'memory'].every((name) => limits?.[name] && (requests?.[name] ?? limits[name]) === limits[name]);
  return resources.every(same) ? 'Guaranteed' : 'Burstable';
}

/** A write of the object does not change its status. */
function restoreStatus(object: KubeObject, old: KubeObject): void {
  if (old.status) object.status = old.status;
  else delete object.status;
}

function assertValid(resource: Resource, object: KubeObject, old?: KubeObject, part?: Part): void {
  const causes = resource.validate?.(object, old, part) ?? [];
  if (causes.length > 0) throw invalid(resource, object.metadata.name ?? '', causes);
}

/** Whether a resource counts changes of its spec in metadata.generation. */
function hasGeneration({ group }: Resource): boolean {
  return ['apps', 'batch', 'policy'].includes(group);
}

/** Whether nothing prevents an object's removal. */
function isRemovable(object: KubeObject): boolean {
  const { finalizers = [] } = object.metadata;
  return finalizers.length === 0 && object.kind !== 'Namespace';
}

/** The component that would report the event on a real cluster. */
function findSource(kind: string, reason: string): string {
  if (kind !== 'Pod') return `${kind.toLowerCase()}-controller`;
  return ['Scheduled', 'FailedScheduling'].includes(reason) ? 'default-scheduler' : 'kubelet';
}

/** An object's grace period in seconds: only running pods have one. */
function findGracePeriod(plural: string, object: KubeObject, { gracePeriodSeconds }: DeleteOptions): number {
  if (plural !== 'pods') return 0;
  const { spec, status } = object;
  if (!spec.nodeName || status?.phase === 'Succeeded' || status?.phase === 'Failed') return 0;
  return gracePeriodSeconds ?? spec.terminationGracePeriodSeconds;
}

function preconditionFailed(
  resource: Resource,
  { metadata }: KubeObject,
  what: string,
  asked: string,
  is: string,
): StatusError {
  const why = `the ${what} in the precondition (${asked}) does not match the ${what} in record (${is}). The object might have been deleted and then recreated`;
  const message = `Operation cannot be fulfilled on ${resource.plural} "${metadata.name}": ${why}`;
  return new StatusError(409, 'Conflict', message);
}

/** The suffix of a generated name, as Kubernetes makes it: five letters and digits, without vowels. */
export function nameSuffix(): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  return [...randomBytes(5)].map((byte) => alphabet[byte % alphabet.length]).join('');
}
