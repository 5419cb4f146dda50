import { applyPatch as applyOperations, type Operation, Pointer } from 'rfc6902';
import type { KubeObject } from '../objects/object.ts';
import type { Resource } from '../objects/resource.ts';
import { isObject, toSchema } from '../objects/schema.ts';
import { badRequest, notImplemented, StatusError } from '../objects/status.ts';
import { mergeStrategically } from './strategic.ts';

const TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

/**
 * Applies a patch, given as its parsed body; changes neither argument.
 * The result is not validated yet.
 */
export function applyPatch(
  contentType: string,
  resource: Resource,
  object: KubeObject,
  patch: unknown,
): KubeObject {
  const type = contentType.split(';')[0]?.trim();
  const copy = structuredClone(object);
  if (type === TYPES[0]) return jsonPatch(copy, patch);
  if (type === TYPES[3]) throw notImplemented('server-side apply');
  if (type !== TYPES[1] && type !== TYPES[2]) throw unsupported();
  if (!isObject(patch))
    throw badRequest(
      `json: cannot unmarshal ${Array.isArray(patch) ? 'array' : typeof patch} into Go value of type map[string]interface {}`,
    );
  if (type === TYPES[1]) return mergePatch(copy, patch) as KubeObject;
  return mergeStrategically(toSchema(resource), copy, structuredClone(patch)) as KubeObject;
}

/** Kubernetes does not say which operation failed, nor why. */
function jsonPatch(object: KubeObject, patch: unknown): KubeObject {
  if (!Array.isArray(patch)) {
    const type = isObject(patch) ? 'object' : typeof patch;
    throw badRequest(`json: cannot unmarshal ${type} into Go value of type jsonpatch.Patch`);
  }
  const rejected = 'the server rejected our request due to an error in our request';
  // One at a time: the library would continue after a failed operation.
  for (const operation of structuredClone(patch) as Operation[])
    if (applyOperations(object, asServer(object, operation)).some((error) => error))
      throw new StatusError(422, 'Invalid', rejected, {});
  return object;
}

/** Kubernetes is laxer than RFC 6902: an absent field can be replaced, and equals null in a test. */
function asServer(object: KubeObject, operation: Operation): Operation[] {
  if (operation.op !== 'replace' && operation.op !== 'test') return [operation];
  const { parent, key } = Pointer.fromJSON(operation.path).evaluate(object);
  if (!isObject(parent) || Object.hasOwn(parent, key)) return [operation];
  if (operation.op === 'replace') return [{ ...operation, op: 'add' }];
  return operation.value === null ? [] : [operation];
}

/** RFC 7386; but Kubernetes drops nulls in lists as well. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (Array.isArray(patch)) return patch.map((item) => mergePatch(undefined, item));
  if (!isObject(patch)) return patch;
  const merged = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

function unsupported(): StatusError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${TYPES.join(', ')}`;
  return new StatusError(415, 'UnsupportedMediaType', message);
}
