import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../objects/object.ts';
import type { Cause } from '../objects/status.ts';
import { checkMetadata, forbiddenField, invalidValue, matching } from './check.ts';
import { configKey } from './names.ts';

const LIMIT = 1024 * 1024;

/** Validates a ConfigMap, or a change of one. */
export function validateConfigMap(configMap: KubeObject, old?: KubeObject): Cause[] {
  const { data = {}, binaryData = {} } = configMap;
  const both = Object.keys(data).filter((key) => Object.hasOwn(binaryData, key));
  return [
    ...checkMetadata(configMap),
    ...checkKeys(data, 'data'),
    ...checkKeys(binaryData, 'binaryData'),
    ...both.map((key) => invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData')),
    ...checkSize([...Object.values<string>(data), ...Object.values<string>(binaryData)], ''),
    ...checkImmutable(configMap, old, ['data', 'binaryData']),
  ];
}

/** Validates a Secret, or a change of one. */
export function validateSecret(secret: KubeObject, old?: KubeObject): Cause[] {
  const { data = {}, type } = secret;
  return [
    ...checkMetadata(secret),
    ...checkKeys(data, 'data'),
    ...checkSize(Object.values(data), 'data'),
    ...(old && old.type !== type ? [invalidValue('type', type, 'field is immutable')] : []),
    ...checkImmutable(secret, old, ['data']),
  ];
}

function checkKeys(data: Record<string, string>, field: string): Cause[] {
  return Object.keys(data).flatMap((key) => matching(`${field}[${key}]`, key, configKey));
}

function checkSize(values: string[], field: string): Cause[] {
  const size = values.reduce((sum, value) => sum + Buffer.byteLength(value), 0);
  const message = `Too long: may not be more than ${LIMIT} bytes`;
  return size > LIMIT ? [{ reason: 'FieldValueInvalid', field, message }] : [];
}

function checkImmutable(object: KubeObject, old: KubeObject | undefined, fields: string[]): Cause[] {
  if (!old?.immutable) return [];
  const why = 'field is immutable when `immutable` is set';
  const changed = fields.filter((field) => !isDeepStrictEqual(object[field] ?? {}, old[field] ?? {}));
  return [...(object.immutable ? [] : ['immutable']), ...changed].map((field) => forbiddenField(field, why));
}
