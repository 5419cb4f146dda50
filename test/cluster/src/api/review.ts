import type { Registry } from '../store/registry.ts';
import { isAllowed, listRules, type User } from './access.ts';
import type { Answer } from './rest.ts';

const PATH = /^\/apis\/authorization\.k8s\.io\/v1\/(self|)subject(access|rules)reviews$/;

/** Answers `kubectl auth can-i`; undefined for any other path. */
export function review(registry: Registry, user: User, path: string, body: string): Answer | undefined {
  const [, self, what] = PATH.exec(path) ?? [];
  if (!what) return undefined;
  const asked = JSON.parse(body);
  // A self review is about the caller, others name their user.
  const who = self ? user : { name: asked.spec.user, groups: asked.spec.groups ?? [] };
  const status =
    what === 'access' ? reviewAccess(registry, who, asked.spec) : rulesStatus(registry, who, asked.spec);
  return { code: 201, body: { ...asked, metadata: {}, status } };
}

interface AccessSpec {
  resourceAttributes?: {
    verb: string;
    group?: string;
    resource: string;
    subresource?: string;
    namespace?: string;
    name?: string;
  };
}

function reviewAccess(registry: Registry, user: User, { resourceAttributes }: AccessSpec): object {
  // A question about a path: everyone may read discovery.
  if (!resourceAttributes) return { allowed: true };
  const { verb, group = '', resource, subresource, namespace, name } = resourceAttributes;
  const full = subresource ? `${resource}/${subresource}` : resource;
  return { allowed: isAllowed(registry, user, { verb, group, resource: full, namespace, name }) };
}

function rulesStatus(registry: Registry, user: User, { namespace }: { namespace?: string }): object {
  return { resourceRules: listRules(registry, user, namespace), nonResourceRules: [], incomplete: false };
}
