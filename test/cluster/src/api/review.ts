import type { Registry } from '../store/registry.ts';
import { isAllowed, type User } from './access.ts';
import type { Answer } from './rest.ts';

const PATH = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/** Answers `kubectl auth can-i`; undefined for any other path. */
export function review(registry: Registry, user: User, path: string, body: string): Answer | undefined {
  if (path !== PATH) return undefined;
  const asked = JSON.parse(body);
  const status = { allowed: isReviewed(registry, user, asked.spec) };
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

function isReviewed(registry: Registry, user: User, { resourceAttributes }: AccessSpec): boolean {
  // A question about a path: everyone may read discovery.
  if (!resourceAttributes) return true;
  const { verb, group = '', resource, subresource, namespace, name } = resourceAttributes;
  const full = subresource ? `${resource}/${subresource}` : resource;
  return isAllowed(registry, user, { verb, group, resource: full, namespace, name });
}
