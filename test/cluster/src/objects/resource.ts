import type { KubeObject } from './object.ts';
import type { Cause } from './status.ts';

/**
 * The type of a field. A field that no schema names is refused.
 * A strategic merge patch merges a list with a mergeKey by that key, and replaces a list without one.
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

/** A subresource that is written separately from the object. */
export type Part = 'status' | 'ephemeralcontainers';

/** A kind of object, with all that the API and kubectl need to know. */
export interface Resource {
  plural: string;
  kind: string;
  /** '' for the core group. */
  group: string;
  /** The same for all kinds of a group. */
  version: 'v1' | 'v2';
  namespaced: boolean;
  shortNames: string[];
  /** Belongs to `kubectl get all`. */
  inAll?: true;
  subresources: (Part | 'scale' | 'eviction')[];
  /** Without apiVersion, kind and metadata, which all kinds share. */
  schema: Record<string, Schema>;
  columns: Column[];
  /** Fields for --field-selector, in addition to metadata.name and metadata.namespace. */
  fieldSelectors?: Record<string, (object: KubeObject) => string>;
  /** Sets the API server's defaults, in place. */
  setDefaults?(object: KubeObject): void;
  /** Returns the errors of an object, or of a change of one. */
  validate?(object: KubeObject, old?: KubeObject, part?: Part): Cause[];
}
