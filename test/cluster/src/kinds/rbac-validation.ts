import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../objects/object.ts';
import type { Cause } from '../objects/status.ts';
import { checkMetadata, checkSupported, invalidValue, required } from './check.ts';
import { pathSegment } from './names.ts';

interface Rule {
  verbs?: string[];
  apiGroups?: string[];
  resources?: string[];
  nonResourceURLs?: string[];
}

/** Validates a Role or a ClusterRole. */
export function validateRole(role: KubeObject): Cause[] {
  const rules: Rule[] = role.rules ?? [];
  return [
    ...checkMetadata(role, pathSegment),
    ...rules.flatMap((rule, index) => checkRule(rule, `rules[${index}]`)),
  ];
}

function checkRule({ verbs, apiGroups, resources, nonResourceURLs }: Rule, path: string): Cause[] {
  const missing = (field: string, why: string) => required(`${path}.${field}`, why);
  const noVerb = verbs?.length ? [] : [missing('verbs', 'verbs must contain at least one value')];
  if (nonResourceURLs?.length) return noVerb;
  return [
    ...noVerb,
    ...(apiGroups?.length ? [] : [missing('apiGroups', 'resource rules must supply at least one api group')]),
    ...(resources?.length ? [] : [missing('resources', 'resource rules must supply at least one resource')]),
  ];
}

/** Validates a RoleBinding or a ClusterRoleBinding, or a change of one. */
export function validateBinding(binding: KubeObject, old?: KubeObject): Cause[] {
  const { roleRef = {}, subjects = [], kind } = binding;
  const roles = kind === 'RoleBinding' ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  return [
    ...checkMetadata(binding, pathSegment),
    ...checkSupported('roleRef.kind', roleRef.kind ?? '', roles),
    ...(roleRef.name ? [] : [required('roleRef.name')]),
    ...(subjects as Subject[]).flatMap((subject, index) => checkSubject(subject, `subjects[${index}]`, kind)),
    ...(old && !isDeepStrictEqual(roleRef, old.roleRef)
      ? [invalidValue('roleRef', roleRef, 'cannot change roleRef')]
      : []),
  ];
}

interface Subject {
  kind?: string;
  name?: string;
  namespace?: string;
}

function checkSubject({ kind, name, namespace }: Subject, path: string, binding: string): Cause[] {
  const lost = kind === 'ServiceAccount' && !namespace && binding === 'ClusterRoleBinding';
  return [
    ...(name ? [] : [required(`${path}.name`)]),
    ...checkSupported(`${path}.kind`, kind ?? '', ['ServiceAccount', 'User', 'Group']),
    ...(lost ? [required(`${path}.namespace`)] : []),
  ];
}
