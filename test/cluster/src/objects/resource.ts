import type { KubeObject } from './object.ts';
import type { Cause } from './status.ts';

/**
 * The shape of a field. What a schema does not name, this cluster does not know, and refuses.
 * A list with a mergeKey is merged by that key in a strategic merge patch; without one it is replaced.
 */
export type Schema =
  | 'string'
  | 'int'
  | 'bool'
  | 'quantity'
  | 'intOrString'
  | 'any'
  | { fields: Record<string, Schema>; retainKeys?: true }
  | { map: Schema }
  | { list: Schema; mergeKey?: string };

/** A column of `kubectl get`. */
export interface Column {
  name: string;
  type?: 'string' | 'integer';
  /** Shown by -o wide only. */
  wide?: true;
  cell(object: KubeObject): string | number;
}

/** A part of an object that can be written alone, and only so. */
export type Part = 'status' | 'ephemeralcontainers';

/** A kind of object: what the API and kubectl must know of it. */
export interface Resource {
  plural: string;
  kind: string;
  /** '' for the core group. */
  group: string;
  /** All kinds of a group have the same. */
  version: 'v1' | 'v2';
  namespaced: boolean;
  shortNames: string[];
  /** Belongs to `kubectl get all`. */
  inAll?: true;
  subresources: (Part | 'scale' | 'eviction')[];
  /** Without apiVersion, kind and metadata, which all kinds share. */
  schema: Record<string, Schema>;
  columns: Column[];
  /** Fields that --field-selector takes, beside metadata.name and metadata.namespace. */
  fieldSelectors?: Record<string, (object: KubeObject) => string>;
  /** Fills in, in place, what the API server would. */
  setDefaults?(object: KubeObject): void;
  /** What is wrong with an object, or with a change of it. */
  validate?(object: KubeObject, old?: KubeObject, part?: Part): Cause[];
}
