import { headerOf } from './body.ts';
import type { Request } from './flow.ts';

const DEFAULT_PORTS: Record<string, number> = { http: 80, https: 443 };

/**
 * The host that the client asked for, with its port where it said one: behind a reverse proxy that is not where the
 * request went.
 */
export function hostOf(request: Request): string {
  const asked = request.authority || headerOf(request.headers, 'host');
  if (asked) return asked;
  const host = request.host.includes(':') ? `[${request.host}]` : request.host;
  return DEFAULT_PORTS[request.scheme] === request.port ? host : `${host}:${request.port}`;
}

/** The URL that the client asked for, as it was sent. */
export function urlOf(request: Request): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(request.path)) return request.path;
  if (request.method === 'CONNECT') return hostOf(request);
  return `${request.scheme}://${hostOf(request)}${request.path}`;
}
