import type { KubeObject } from '../objects/object.ts';
import { listComplaints } from '../objects/schema.ts';
import { fieldTest, labelTest } from '../objects/selector.ts';
import { badRequest, invalid, notFound, notImplemented, type StatusError } from '../objects/status.ts';
import type { DeleteOptions, Registry, WriteOptions } from '../store/registry.ts';
import { type Eviction, evict as evictPod } from './eviction.ts';
import { applyPatch } from './patch.ts';
import { toTable } from './table.ts';
import type { Target } from './target.ts';

/** The parts of an HTTP request that the verbs read. */
export interface Call {
  target: Target;
  query: URLSearchParams;
  accept: string;
  contentType: string;
  body: string;
}

/** What the API answers with. */
export interface Answer {
  code: number;
  body: object;
}

// -- reading

export function get(registry: Registry, call: Call): Answer {
  const object = existing(registry, call.target);
  if (call.target.subresource === 'scale') return { code: 200, body: toScale(object) };
  return { code: 200, body: render(call, [object], {}) ?? object };
}

export function list(registry: Registry, call: Call): Answer {
  const { resource, namespace } = call.target;
  const objects = registry.store.list(resource, namespace).filter(makeTest(call));
  const metadata = { resourceVersion: String(registry.store.version) };
  const { apiVersion } = toTypeMeta(call.target);
  const items = objects.map(({ apiVersion: _, kind: __, ...rest }) => rest);
  const plain = { kind: `${resource.kind}List`, apiVersion, metadata, items };
  return { code: 200, body: render(call, objects, metadata) ?? plain };
}

/** The objects as a Table, if the client asked for one. */
export function render(call: Call, objects: KubeObject[], metadata: object): object | undefined {
  if (!/;as=Table/.test(call.accept)) return undefined;
  return toTable(call.target.resource, objects, metadata, call.query.get('includeObject'));
}

/** Makes the filter of a list or a watch. */
export function makeTest({ target, query }: Call): (object: KubeObject) => boolean {
  const byLabel = labelTest(query.get('labelSelector') ?? '');
  const byField = fieldTest(target.resource, query.get('fieldSelector') ?? '');
  const byName = (object: KubeObject) => !target.name || object.metadata.name === target.name;
  return (object) => byName(object) && byLabel(object) && byField(object);
}

// -- writing

export function create(registry: Registry, call: Call): Answer {
  const { resource, namespace } = call.target;
  const object = decodeBody(call);
  if (resource.namespaced) inNamespace(object, namespace);
  return { code: 201, body: registry.create(resource.plural, object, writeOptions(call)) };
}

export function replace(registry: Registry, call: Call): Answer {
  const old = existing(registry, call.target);
  if (call.target.subresource === 'scale') return rescale(registry, call, old, JSON.parse(call.body));
  const object = decodeBody(call);
  inNamespace(object, call.target.namespace);
  sameName(object, old);
  return { code: 200, body: registry.update(call.target.resource.plural, object, writeOptions(call)) };
}

export function patch(registry: Registry, call: Call): Answer {
  const { resource, subresource } = call.target;
  const old = existing(registry, call.target);
  if (subresource === 'scale') {
    const body = applyPatch(call.contentType, resource, toScale(old) as KubeObject, JSON.parse(call.body));
    return rescale(registry, call, old, body);
  }
  const object = applyPatch(call.contentType, resource, old, JSON.parse(call.body));
  const complaints = listComplaints(resource, object);
  if (complaints.length > 0) throw unreadablePatch(call, complaints);
  sameName(object, old);
  return { code: 200, body: registry.update(resource.plural, object, writeOptions(call)) };
}

export function evict(registry: Registry, { target, query, body }: Call): Answer {
  const eviction = parse(body) as Eviction;
  const { dryRun: asked } = deleteOptions({ query, body: JSON.stringify(eviction.deleteOptions ?? {}) });
  evictPod(registry, target.namespace, target.name ?? '', eviction, asked === true);
  return {
    code: 201,
    body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
  };
}

export function remove(registry: Registry, call: Call): Answer {
  const { resource, subresource } = call.target;
  if (subresource) throw notImplemented(`deleting ${resource.plural}/${subresource}`);
  const object = existing(registry, call.target);
  const deleted = registry.delete(resource.plural, object, deleteOptions(call));
  if (deleted.metadata.deletionTimestamp) return { code: 200, body: deleted };
  const { name, uid } = object.metadata;
  const details = { name, group: resource.group, kind: resource.plural, uid };
  return { code: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } };
}

export function removeAll(registry: Registry, call: Call): Answer {
  const { resource, namespace } = call.target;
  const objects = registry.store.list(resource, namespace).filter(makeTest(call));
  for (const object of objects) registry.delete(resource.plural, object, deleteOptions(call));
  return {
    code: 200,
    body: { ...toTypeMeta(call.target), kind: `${resource.kind}List`, metadata: {}, items: objects },
  };
}

// -- the parts

function existing(registry: Registry, { resource, namespace, name = '' }: Target): KubeObject {
  const object = registry.store.find(resource, namespace, name);
  if (!object) throw notFound(resource, name);
  return object;
}

function toTypeMeta({ resource: { group, version, kind } }: Target): { apiVersion: string; kind: string } {
  return { apiVersion: group ? `${group}/${version}` : version, kind };
}

function decodeBody(call: Call): KubeObject {
  const object = parse(call.body);
  const { apiVersion, kind } = toTypeMeta(call.target);
  object.apiVersion ??= apiVersion;
  object.kind ??= kind;
  if (object.kind !== kind || object.apiVersion !== apiVersion) {
    const is = `the API version in the data (${object.apiVersion}, ${object.kind}) does not match the expected API version (${apiVersion}, ${kind})`;
    throw badRequest(is);
  }
  object.metadata ??= { name: '' } as KubeObject['metadata'];
  const complaints = listComplaints(call.target.resource, object);
  if (complaints.length > 0) throw unreadable(call, complaints);
  return object;
}

function parse(body: string): KubeObject {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
  }
}

function unreadable({ target, query }: Call, complaints: string[]): StatusError {
  const strict = query.get('fieldValidation') === 'Strict';
  const all = complaints.join(', ');
  const unknown = complaints.every((complaint) => complaint.startsWith('unknown field'));
  // Kubernetes would drop the field with a warning. Here it may be a field that the pocket cluster lacks.
  if (unknown && !strict) return notImplemented(`${target.resource.kind}: ${all}`);
  const { kind, version } = target.resource;
  const words = unknown ? `strict decoding error: ${all}` : all;
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${words}`);
}

function unreadablePatch({ target, body, query }: Call, complaints: string[]): StatusError {
  const all = complaints.join(', ');
  if (!complaints.every((complaint) => complaint.startsWith('unknown field'))) return badRequest(all);
  if (query.get('fieldValidation') !== 'Strict') return notImplemented(`${target.resource.kind}: ${all}`);
  const message = `Invalid value: ${JSON.stringify(body)}: strict decoding error: ${all}`;
  return invalid({ kind: '', group: '' }, '', [{ reason: 'FieldValueInvalid', field: 'patch', message }]);
}

function inNamespace(object: KubeObject, namespace: string | undefined): void {
  object.metadata.namespace ||= namespace ?? '';
  if (!object.metadata.namespace) delete object.metadata.namespace;
  if (namespace && object.metadata.namespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

function sameName(object: KubeObject, old: KubeObject): void {
  if (object.metadata.name === old.metadata.name) return;
  const [is, was] = [object.metadata.name, old.metadata.name];
  throw badRequest(`the name of the object (${is}) does not match the name on the URL (${was})`);
}

function writeOptions({ target: { resource, subresource }, query }: Call): WriteOptions {
  const dryRun = query.get('dryRun') === 'All';
  if (!subresource) return { dryRun };
  if (subresource !== 'status' && subresource !== 'ephemeralcontainers')
    throw notImplemented(`${resource.plural}/${subresource}`);
  return { dryRun, subresource };
}

function deleteOptions({ query, body }: Pick<Call, 'query' | 'body'>): DeleteOptions {
  const { dryRun, gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions } = body
    ? parse(body)
    : ({} as KubeObject);
  if (orphanDependents || (propagationPolicy ?? query.get('propagationPolicy')) === 'Orphan')
    throw notImplemented('deletions that orphan dependents');
  return {
    dryRun: query.get('dryRun') === 'All' || dryRun?.includes('All') === true,
    gracePeriodSeconds:
      gracePeriodSeconds ??
      (query.has('gracePeriodSeconds') ? Number(query.get('gracePeriodSeconds')) : undefined),
    preconditions,
  };
}

// -- scale

function toScale({ metadata, spec, status }: KubeObject): object {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const selector = Object.entries(spec.selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: spec.replicas === 0 ? {} : { replicas: spec.replicas },
    status: { replicas: status?.replicas ?? 0, selector: selector.join(',') },
  };
}

function rescale(registry: Registry, call: Call, old: KubeObject, scale: KubeObject): Answer {
  const { resourceVersion = '' } = scale.metadata;
  const { metadata } = old;
  const next = {
    ...old,
    metadata: { ...metadata, resourceVersion },
    spec: { ...old.spec, replicas: scale.spec.replicas ?? 0 },
  };
  const updated = registry.update(call.target.resource.plural, next, {
    dryRun: call.query.get('dryRun') === 'All',
  });
  return { code: 200, body: toScale(updated) };
}
