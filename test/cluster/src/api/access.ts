import type { IncomingMessage } from 'node:http';
import type { KubeObject } from '../objects/object.ts';
import { StatusError } from '../objects/status.ts';
import type { Registry } from '../store/registry.ts';

export interface User {
  name: string;
  groups: string[];
}

/** The request that RBAC decides on. */
export interface Attributes {
  verb: string;
  group: string;
  /** With its subresource: `pods/log`. */
  resource: string;
  namespace?: string | undefined;
  name?: string | undefined;
}

const ADMIN: User = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };

/**
 * Identifies the user: the administrator, by the kubeconfig's token, or the user whom they impersonate.
 * @throws StatusError: Unauthorized
 */
export function identifyUser({ headers }: IncomingMessage, token: string): User {
  if (headers.authorization !== `Bearer ${token}`) throw new StatusError(401, 'Unauthorized', 'Unauthorized');
  const name = headers['impersonate-user'];
  if (typeof name !== 'string') return ADMIN;
  const asked = headers['impersonate-group'];
  const groups = typeof asked === 'string' ? asked.split(', ') : [];
  const [, , namespace] = /^system:(serviceaccount):([^:]+):/.exec(name) ?? [];
  if (namespace) groups.push('system:serviceaccounts', `system:serviceaccounts:${namespace}`);
  return { name, groups: [...groups, 'system:authenticated'] };
}

/** Whether a ClusterRoleBinding, or a RoleBinding in the namespace, allows the request. */
export function isAllowed(registry: Registry, user: User, attributes: Attributes): boolean {
  return listRules(registry, user, attributes.namespace).some((rule) => allows(rule, attributes));
}

interface Rule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
}

function listRules(registry: Registry, user: User, namespace: string | undefined): Rule[] {
  if (user.groups.includes('system:masters')) return [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }];
  const bindings = [
    ...registry.list('clusterrolebindings'),
    ...(namespace ? registry.list('rolebindings', namespace) : []),
  ];
  return bindings
    .filter((binding) =>
      (binding.subjects ?? []).some((subject: Subject) => isSubject(subject, user, binding)),
    )
    .flatMap((binding) => {
      const { kind, name } = binding.roleRef;
      const role =
        kind === 'ClusterRole'
          ? registry.find('clusterroles', undefined, name)
          : registry.find('roles', binding.metadata.namespace, name);
      return role?.rules ?? [];
    });
}

interface Subject {
  kind: string;
  name: string;
  namespace?: string;
}

function isSubject({ kind, name, namespace }: Subject, user: User, binding: KubeObject): boolean {
  if (kind === 'User') return name === user.name;
  if (kind === 'Group') return user.groups.includes(name);
  return user.name === `system:serviceaccount:${namespace ?? binding.metadata.namespace}:${name}`;
}

function allows(rule: Rule, { verb, group, resource, name }: Attributes): boolean {
  const has = (list: string[] | undefined, value: string) =>
    !!list && (list.includes('*') || list.includes(value));
  const [, subresource] = resource.split('/');
  const resourceIsMeant =
    has(rule.resources, resource) || (!!subresource && !!rule.resources?.includes(`*/${subresource}`));
  const nameIsMeant = !rule.resourceNames?.length || (!!name && rule.resourceNames.includes(name));
  return has(rule.verbs, verb) && has(rule.apiGroups, group) && resourceIsMeant && nameIsMeant;
}

/** The message with which RBAC refuses a request. */
export function formatDenial(user: User, { verb, group, resource, namespace }: Attributes): string {
  const where = namespace ? `in the namespace "${namespace}"` : 'at the cluster scope';
  return `User "${user.name}" cannot ${verb} resource "${resource}" in API group "${group}" ${where}`;
}
