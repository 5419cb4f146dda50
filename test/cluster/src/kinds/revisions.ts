import type { Resource } from '../objects/resource.ts';
import { AGE, NAME } from './columns.ts';

export const controllerrevisions: Resource = {
  plural: 'controllerrevisions',
  kind: 'ControllerRevision',
  group: 'apps',
  version: 'v1',
  namespaced: true,
  shortNames: [],
  subresources: [],
  schema: { data: 'any', revision: 'int' },
  columns: [
    NAME,
    { name: 'Controller', cell: ({ metadata }) => metadata.ownerReferences?.[0]?.name ?? '<none>' },
    { name: 'Revision', cell: ({ revision }) => revision },
    AGE,
  ],
};
