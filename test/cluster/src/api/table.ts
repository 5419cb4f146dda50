import type { KubeObject } from '../objects/object.ts';
import type { Resource } from '../objects/resource.ts';

/** Objects as the rows that `kubectl get` prints (meta.k8s.io/v1 Table). */
export function toTable(
  resource: Resource,
  objects: KubeObject[],
  metadata: object,
  includeObject: string | null,
): object {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: resource.columns.map(({ name, type = 'string', wide }) => ({
      name,
      type,
      format: name === 'Name' ? 'name' : '',
      description: '',
      priority: wide ? 1 : 0,
    })),
    rows: objects.map((object) => ({
      cells: resource.columns.map(({ cell }) => cell(object)),
      ...(includeObject !== 'None' && { object: includeObject === 'Object' ? object : partial(object) }),
    })),
  };
}

function partial({ metadata }: KubeObject): object {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}
