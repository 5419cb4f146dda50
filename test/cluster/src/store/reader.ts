import type { KubeObject } from '../objects/object.ts';

/** What admission may read. The Registry implements it. Resources are named by their plural. */
export interface Reader {
  list(plural: string, namespace?: string): KubeObject[];
  find(plural: string, namespace: string | undefined, name: string): KubeObject | undefined;
}
