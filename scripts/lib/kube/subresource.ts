import type { Kubectl } from './kubectl.ts';
import type { Pod } from './objects.ts';

/** A subresource of pods, from API discovery. */
interface Subresource {
  name: string;
  kind: string;
  group?: string;
  version?: string;
}

/** A subresource of pods; undefined when the API server has none of that name. */
export async function findSubresource(kubectl: Kubectl, name: string): Promise<Subresource | undefined> {
  const text = await kubectl.run(['get', '--raw', '/api/v1']);
  const { resources } = JSON.parse(text) as { resources: Subresource[] };
  return resources.find((resource) => resource.name === `pods/${name}`);
}

/** The API path of a pod's subresource. */
export function podPath({ metadata }: Pod, subresource: string): string {
  return `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/${subresource}`;
}
