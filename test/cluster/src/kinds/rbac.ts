import type { KubeObject } from '../objects/object.ts';
import type { Column, Resource, Schema } from '../objects/resource.ts';
import { AGE, NAME } from './columns.ts';
import { validateBinding, validateRole } from './rbac-validation.ts';

const STRINGS: Schema = { list: 'string' };
const RULES: Schema = {
  list: {
    fields: {
      apiGroups: STRINGS,
      resources: STRINGS,
      verbs: STRINGS,
      resourceNames: STRINGS,
      nonResourceURLs: STRINGS,
    },
  },
};
const BINDING: Record<string, Schema> = {
  roleRef: { fields: { apiGroup: 'string', kind: 'string', name: 'string' } },
  subjects: { list: { fields: { apiGroup: 'string', kind: 'string', name: 'string', namespace: 'string' } } },
};
const GROUP = 'rbac.authorization.k8s.io';
const CREATED: Column = { name: 'Created At', cell: ({ metadata }) => metadata.creationTimestamp };

function resource(plural: string, kind: string, more: Partial<Resource>): Resource {
  return {
    group: GROUP,
    version: 'v1',
    schema: {},
    shortNames: [],
    subresources: [],
    plural,
    kind,
    namespaced: !kind.startsWith('Cluster'),
    columns: [NAME, CREATED],
    ...more,
  };
}

const BINDING_COLUMNS: Column[] = [
  NAME,
  { name: 'Role', cell: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}` },
  AGE,
  { name: 'Users', wide: true, cell: (binding) => formatSubjects(binding, 'User') },
  { name: 'Groups', wide: true, cell: (binding) => formatSubjects(binding, 'Group') },
  { name: 'ServiceAccounts', wide: true, cell: (binding) => formatSubjects(binding, 'ServiceAccount') },
];

export const roles = resource('roles', 'Role', { schema: { rules: RULES }, validate: validateRole });
export const clusterroles = resource('clusterroles', 'ClusterRole', {
  schema: { rules: RULES },
  validate: validateRole,
});
export const rolebindings = resource('rolebindings', 'RoleBinding', {
  schema: BINDING,
  columns: BINDING_COLUMNS,
  setDefaults: fillBinding,
  validate: validateBinding,
});
export const clusterrolebindings = resource('clusterrolebindings', 'ClusterRoleBinding', {
  schema: BINDING,
  columns: BINDING_COLUMNS,
  setDefaults: fillBinding,
  validate: validateBinding,
});

interface Subject {
  kind: string;
  name: string;
  namespace?: string;
  apiGroup?: string;
}

function fillBinding({ roleRef, subjects }: KubeObject): void {
  if (roleRef) roleRef.apiGroup ||= GROUP;
  for (const subject of subjects ?? []) if (subject.kind !== 'ServiceAccount') subject.apiGroup ||= GROUP;
}

function formatSubjects({ subjects = [] }: KubeObject, kind: string): string {
  const named = (subjects as Subject[]).filter((subject) => subject.kind === kind);
  const names = named.map(({ name, namespace }) =>
    kind === 'ServiceAccount' ? `${namespace}/${name}` : name,
  );
  return names.join(', ');
}
