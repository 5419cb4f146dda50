import type { Kubectl } from './kubectl.ts';
import type { Pod } from './objects.ts';

/** A subresource of pods, as discovery tells of it. */
interface Subresource {
  name: string;
  kind: string;
  group?: string;
  version?: string;
}

/** What the API server knows of a subresource of pods; undefined when it has none of that name. */
export async function findSubresource(kubectl: Kubectl, name: string): Promise<Subresource | undefined> {
  const text = await kubectl.run(['get', '--raw', '/api/v1']);
  const { resources } = JSON.parse(text) as { resources: Subresource[] };
  return resources.find((resource) => resource.name === `pods/${name}`);
}

/** Its address in the API. */
export function podPath({ metadata }: Pod, subresource: string): string {
  return `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/${subresource}`;
}
