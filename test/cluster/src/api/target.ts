import { resources } from '../kinds/index.ts';
import type { Resource } from '../objects/resource.ts';

/** What a request addresses: a resource, one object, or its subresource. */
export interface Target {
  resource: Resource;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

/** Parses paths like `/api/v1/namespaces/NS/PLURAL/NAME/SUBRESOURCE`; undefined for other paths. */
export function parseTarget(path: string): Target | undefined {
  const [, group = '', version, rest] = /^\/(?:api|apis\/([^/]+))\/(v\d)\/(.+)$/.exec(path) ?? [];
  if (!rest) return undefined;
  const parts = rest.split('/').map(decodeURIComponent);
  const inNamespace =
    parts[0] === 'namespaces' && parts.length > 2 && !OF_NAMESPACES.includes(parts[2] ?? '');
  const namespace = inNamespace ? parts[1] : undefined;
  const [plural, name, subresource, ...more] = inNamespace ? parts.slice(2) : parts;
  const resource = resources.find(
    (resource) => resource.plural === plural && resource.group === group && resource.version === version,
  );
  return resource && more.length === 0 ? { resource, namespace, name, subresource } : undefined;
}

/** Subresources of a namespace, which are not resources inside it. */
const OF_NAMESPACES = ['status', 'finalize'];
