import type { Resource, Schema } from './resource.ts';

type Fields = { fields: Record<string, Schema> };

/** The metadata of objects and pod templates. */
export const METADATA: Fields = {
  fields: {
    name: 'string',
    generateName: 'string',
    namespace: 'string',
    selfLink: 'string',
    uid: 'string',
    resourceVersion: 'string',
    generation: 'int',
    creationTimestamp: 'string',
    deletionTimestamp: 'string',
    deletionGracePeriodSeconds: 'int',
    labels: { map: 'string' },
    annotations: { map: 'string' },
    ownerReferences: {
      list: {
        fields: {
          apiVersion: 'string',
          kind: 'string',
          name: 'string',
          uid: 'string',
          controller: 'bool',
          blockOwnerDeletion: 'bool',
        },
      },
      mergeKey: 'uid',
    },
    finalizers: { list: 'string', mergeKey: '' },
    managedFields: 'any',
  },
};

/** The schema of a whole object. */
export function toSchema({ schema }: Resource): Fields {
  return { fields: { apiVersion: 'string', kind: 'string', metadata: METADATA, ...schema } };
}

/** The errors of strict decoding: unknown fields, and values of the wrong type. */
export function listComplaints(resource: Resource, value: unknown): string[] {
  if (!isObject(value)) return [wrongType(value, `Go value of type v1.${resource.kind}`)];
  return [...complaints(toSchema(resource), value, '', resource.kind)];
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Null means an absent field, whatever the type. */
function* complaints(schema: Schema, value: unknown, path: string, struct: string): Generator<string> {
  if (value === null || value === undefined || schema === 'any') return;
  if (!fits(schema, value)) {
    const field = path.replace(/\[.*?\]/g, '');
    yield wrongType(value, `Go struct field ${struct}.${field} of type ${goType(schema, path)}`);
  } else if (typeof schema === 'string') return;
  else if ('list' in schema)
    for (const [index, item] of (value as unknown[]).entries())
      yield* complaints(schema.list, item, `${path}[${index}]`, nameStruct(path, struct));
  else
    for (const [key, item] of Object.entries(value as object))
      yield* fieldComplaints(schema, key, item, path, struct);
}

function* fieldComplaints(
  schema: Fields | { map: Schema },
  key: string,
  value: unknown,
  path: string,
  struct: string,
): Generator<string> {
  const field = path ? `${path}.${key}` : key;
  if ('map' in schema) yield* complaints(schema.map, value, path, struct);
  else if (!Object.hasOwn(schema.fields, key)) yield `unknown field "${field}"`;
  else yield* complaints(schema.fields[key] as Schema, value, field, nameStruct(path, struct));
}

function fits(schema: Exclude<Schema, 'any'>, value: unknown): boolean {
  if (typeof schema !== 'string') return 'list' in schema ? Array.isArray(value) : isObject(value);
  if (schema === 'string') return typeof value === 'string';
  if (schema === 'bool') return typeof value === 'boolean';
  if (schema === 'quantity') return ['string', 'number'].includes(typeof value);
  return Number.isInteger(value) || (schema === 'intOrString' && typeof value === 'string');
}

const STRUCTS: Record<string, string> = {
  metadata: 'ObjectMeta',
  template: 'PodTemplateSpec',
  env: 'EnvVar',
};

/** The name of the Go struct that holds a field, which by convention comes from the name of its own field. */
function nameStruct(path: string, kind: string): string {
  const holder = /(\w+)(\[\d+\])?$/.exec(path)?.[1];
  if (holder === undefined) return kind;
  if (path === 'spec' || path === 'status') return `${kind}${capitalized(holder)}`;
  if (holder === 'spec') return 'PodSpec';
  if (/(^|\.)(c|initC)ontainers\[\d+\]$/.test(path)) return 'Container';
  return STRUCTS[holder] ?? capitalized(/\]$/.test(path) ? holder.replace(/s$/, '') : holder);
}

function goType(schema: Schema, path: string): string {
  if (schema === 'int') return 'int32';
  if (schema === 'quantity') return 'resource.Quantity';
  if (schema === 'intOrString') return 'intstr.IntOrString';
  if (typeof schema === 'string') return schema;
  if ('map' in schema) return `map[string]${goType(schema.map, '')}`;
  if ('list' in schema) return `[]${goType(schema.list, `${path}[0]`)}`;
  return `v1.${nameStruct(path, '')}`;
}

function capitalized(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}

function wrongType(value: unknown, into: string): string {
  const type = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return `json: cannot unmarshal ${type} into ${into}`;
}

/** Lists that Kubernetes keeps even if empty. */
const SHOWN_EMPTY = ['containers', 'endpoints', 'rules'];

/** Copies a value without nulls, empty maps and empty lists, which Kubernetes treats as missing. */
export function withoutEmpty(schema: Schema | undefined, value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = typeof schema === 'object' && 'list' in schema ? schema.list : undefined;
    return value.map((item) => withoutEmpty(items, item));
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, part]) => {
    const inner = typeof schema === 'object' && 'fields' in schema ? schema.fields[key] : undefined;
    return isEmpty(inner, part) && !SHOWN_EMPTY.includes(key)
      ? [key, undefined]
      : [key, withoutEmpty(inner, part)];
  });
  return Object.fromEntries(entries.filter(([, part]) => part !== undefined));
}

function isEmpty(schema: Schema | undefined, value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (typeof schema !== 'object' || 'fields' in schema) return false;
  return Object.keys(value).length === 0;
}
