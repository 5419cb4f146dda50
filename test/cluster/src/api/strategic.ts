import { isDeepStrictEqual } from 'node:util';
import type { Schema } from '../objects/resource.ts';
import { isObject } from '../objects/schema.ts';
import { badRequest, StatusError } from '../objects/status.ts';

/**
 * A strategic merge patch, as k8s.io/apimachinery/pkg/util/strategicpatch applies it: lists with a merge key are
 * merged by that key; the directives are $patch, $setElementOrder/…, $deleteFromPrimitiveList/… and $retainKeys.
 */

type Map = Record<string, unknown>;

const ORDER = '$setElementOrder/';
const DELETE = '$deleteFromPrimitiveList/';

/** Merges a patch into an original; changes both. */
export function mergeStrategically(schema: Schema, original: Map, patch: Map): Map {
  if ('$patch' in patch) {
    const { $patch: directive, ...rest } = patch;
    if (directive === 'replace') return rest;
    if (directive === 'delete') return {};
    throw failure(`unknown patch type: ${directive} in map: ${goText(patch)}`);
  }
  retainKeys(original, patch);
  for (const key of Object.keys(patch)) if (key.startsWith(ORDER)) mergeOrdered(schema, original, patch, key);
  for (const [key, value] of Object.entries(patch)) mergeField(schema, original, key, value);
  return original;
}

function mergeField(schema: Schema, original: Map, patchKey: string, value: unknown): void {
  const deletes = patchKey.startsWith(DELETE);
  const key = deletes ? patchKey.slice(DELETE.length) : patchKey;
  const old = original[key];
  if (value === null) delete original[key];
  else if (deletes) {
    if (Array.isArray(old) && Array.isArray(value)) original[key] = without(old, value);
  } else if (isObject(old) && isObject(value))
    original[key] = mergeStrategically(findField(schema, key), old, value);
  else if (Array.isArray(old) && Array.isArray(value))
    original[key] = mergeList(findField(schema, key), old, value);
  else if (isObject(value) || Array.isArray(value)) {
    const added = cleaned(value, true);
    if (added === undefined) delete original[key];
    else original[key] = added;
  } else original[key] = value;
}

/** $retainKeys: removes the keys that it does not name. */
function retainKeys(original: Map, patch: Map): void {
  if (!('$retainKeys' in patch)) return;
  const { $retainKeys: retained } = patch;
  delete patch.$retainKeys;
  const set = Object.entries(patch).filter(
    ([key, value]) => value !== null && !key.startsWith(ORDER) && !key.startsWith(DELETE),
  );
  if (!Array.isArray(retained) || set.some(([key]) => !retained.includes(key)))
    throw badRequest('invalid patch format of retainKeys');
  for (const key of Object.keys(original)) if (!retained.includes(key)) delete original[key];
}

/** A list whose order the patch sets, whether or not it changes items. */
function mergeOrdered(schema: Schema, original: Map, patch: Map, directive: string): void {
  const key = directive.slice(ORDER.length);
  const order = patch[directive];
  delete patch[directive];
  const field = findField(schema, key);
  const old = original[key];
  const items = patch[key];
  if (!Array.isArray(order)) throw badRequest('invalid patch format of setElementOrder list');
  if (!Array.isArray(old) && !Array.isArray(items)) return;
  delete patch[key];
  if (Array.isArray(items)) checkOrder(findMergeKey(field), items, order);
  if (!Array.isArray(old))
    original[key] = ordered(findMergeKey(field), cleaned(items, false) as unknown[], order, []);
  else if (!Array.isArray(items)) original[key] = ordered(findMergeKey(field), old, order, old);
  else {
    const { merged, replaced } = mergeItems(field, old, items);
    // As Go's slices share memory: a deletion moves the rest up, and new items take the places at the end.
    const server = replaced ? old : merged.slice(0, old.length);
    original[key] = ordered(findMergeKey(field), merged, order, server);
  }
}

/** The patch's items must be in the order that the patch itself sets. */
function checkOrder(mergeKey: string | undefined, items: unknown[], order: unknown[]): void {
  const stay = items.filter((item) => !isObject(item) || item.$patch !== 'delete');
  let next = 0;
  for (const item of order) if (next < stay.length && same(mergeKey, stay[next], item)) next++;
  if (next === stay.length) return;
  const [list, wanted] = [items, order].map(goText);
  throw failure(`The order in patch list:\n${list}\n doesn't match $setElementOrder list:\n${wanted}\n`);
}

function mergeList(field: Schema, old: unknown[], items: unknown[]): unknown[] {
  // A list without a merge key is replaced.
  if (findMergeKey(field) === undefined) return items;
  const { merged, base, plain } = mergeItems(field, old, items);
  return ordered(findMergeKey(field), merged, plain, base);
}

interface Merged {
  /** Not sorted yet. */
  merged: unknown[];
  /** The items of the old list that remain. */
  base: unknown[];
  /** The patch's items without a directive. */
  plain: unknown[];
  replaced?: boolean;
}

function mergeItems(field: Schema, old: unknown[], items: unknown[]): Merged {
  const mergeKey = findMergeKey(field);
  if (mergeKey === undefined) return { merged: items, base: items, plain: [], replaced: true };
  if (mergeKey === '') return { merged: [...new Set([...old, ...items])], base: old, plain: items };
  const [base, plain] = special(mergeKey, old, items);
  const merged = [...base];
  for (const item of plain) {
    const found = merged.findIndex((candidate) => same(mergeKey, candidate, item));
    if (found < 0) merged.push(item);
    else merged[found] = mergeStrategically(findItemSchema(field), merged[found] as Map, item);
  }
  return { merged, base, plain, replaced: items.some((item) => isObject(item) && item.$patch === 'replace') };
}

/** Applies the items with a $patch directive; returns what remains of the list, and the patch's other items. */
function special(mergeKey: string, old: unknown[], items: unknown[]): [unknown[], Map[]] {
  let base = old;
  let replace = false;
  const plain: Map[] = [];
  for (const item of items as Map[]) {
    const directive = item.$patch;
    if (directive === 'merge') throw failure('merging lists cannot yet be specified in the patch');
    if (directive === 'replace') replace = true;
    else if (directive !== undefined && directive !== 'delete')
      throw failure(`unknown patch type: ${directive} in map: ${goText(item)}`);
    else if (!(mergeKey in item))
      throw failure(`map: ${goText(item)} does not contain declared merge key: ${mergeKey}`);
    else if (directive === 'delete') base = base.filter((candidate) => !same(mergeKey, candidate, item));
    else plain.push(item);
  }
  // A replacing list is taken unchanged, even with items of the same key.
  return replace ? [plain, []] : [base, plain];
}

/**
 * Sorts the items that `order` names by it, and keeps the order of the others. One of the others goes before the next
 * ordered item only if it preceded it on the server, so new items come first.
 */
function ordered(
  mergeKey: string | undefined,
  merged: unknown[],
  order: unknown[],
  server: unknown[],
): unknown[] {
  const index = (list: unknown[], item: unknown) =>
    list.findIndex((candidate) => same(mergeKey, candidate, item));
  const named = merged.filter((item) => index(order, item) >= 0);
  named.sort((a, b) => index(order, a) - index(order, b));
  const others = merged.filter((item) => index(order, item) < 0);
  others.sort((a, b) => index(server, a) - index(server, b));
  const all: unknown[] = [];
  while (named.length > 0 && others.length > 0) {
    const [other, next] = [index(server, others[0]), index(server, named[0])];
    all.push(other >= 0 && next >= 0 && other < next ? others.shift() : named.shift());
  }
  return [...all, ...others, ...named];
}

/** A new value is taken unchanged, without items that have a directive, and, on request, without nulls. */
function cleaned(value: unknown, discardNulls: boolean): unknown {
  if (Array.isArray(value))
    return value.map((item) => cleaned(item, discardNulls)).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if ('$patch' in value) return undefined;
  const fields = Object.entries(value).map(([key, field]) => [key, cleaned(field, discardNulls)]);
  const kept = fields.filter(([, field]) => field !== undefined && !(discardNulls && field === null));
  return Object.fromEntries(kept);
}

function same(mergeKey: string | undefined, a: unknown, b: unknown): boolean {
  if (!mergeKey || !isObject(a) || !isObject(b)) return isDeepStrictEqual(a, b);
  return isDeepStrictEqual(a[mergeKey], b[mergeKey]);
}

function without(list: unknown[], items: unknown[]): unknown[] {
  return list.filter((item) => !items.includes(item));
}

function findField(schema: Schema, key: string): Schema {
  if (typeof schema === 'string' || 'list' in schema) return 'any';
  return 'map' in schema ? schema.map : (schema.fields[key] ?? 'any');
}

function findMergeKey(schema: Schema): string | undefined {
  return typeof schema !== 'string' && 'list' in schema ? schema.mergeKey : undefined;
}

function findItemSchema(schema: Schema): Schema {
  return typeof schema !== 'string' && 'list' in schema ? schema.list : 'any';
}

/** A value as Go prints it by %v. */
function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (!isObject(value)) return value === null ? '<nil>' : String(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${fields.map(([key, field]) => `${key}:${goText(field)}`).join(' ')}]`;
}

/** Kubernetes answers these with a plain 500. */
function failure(message: string): StatusError {
  return new StatusError(500, '', message);
}
