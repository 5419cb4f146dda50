import type { KubeObject } from '../objects/object.ts';

/** What admission may read of the other objects; the Registry is one. Resources go by their plural name. */
export interface Reader {
  list(plural: string, namespace?: string): KubeObject[];
  find(plural: string, namespace: string | undefined, name: string): KubeObject | undefined;
}
