import { findHeader } from './headers.ts';
import type { Request } from './http-message.ts';

const DEFAULT_PORTS: Record<string, number> = { http: 80, https: 443 };

/**
 * The host that the client asked for, with its port unless that is the scheme's default. Behind a reverse proxy this is
 * not the host to which the proxy sent the request.
 */
export function findHost(request: Request): string {
  const port = DEFAULT_PORTS[request.scheme];
  const own = `${request.host.includes(':') ? `[${request.host}]` : request.host}:${request.port}`;
  const asked = findAskedHost(request) ?? own;
  return port !== undefined && asked.endsWith(`:${port}`) ? asked.slice(0, -`:${port}`.length) : asked;
}

/** The host that the client asked for, without a port. */
export function findHostname(request: Request): string {
  return findHost(request).replace(/:\d+$/, '');
}

/** The URL that the client asked for, as it was sent. */
export function formatUrl(request: Request): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(request.path)) return request.path;
  if (request.method === 'CONNECT') return request.authority;
  return `${request.scheme}://${findHost(request)}${request.path}`;
}

function findAskedHost(request: Request): string | undefined {
  const header = findHeader(request.headers, 'host');
  return (/^HTTP\/[23]/.test(request.httpVersion) && request.authority) || header || undefined;
}
