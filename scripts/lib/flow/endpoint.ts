import type { Flow } from './flow.ts';

/** Path segments that are ids: numbers, UUIDs, digests, and longer words that mix letters and digits. */
const ID =
  /^(\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?=.*\d)[0-9a-f]{8,}|(?=.*\d)(?=.*[a-z])[a-z0-9_-]{16,})$/i;
/** Longer paths are cut: a path may have a megabyte. In characters. */
const MAX_PATH = 200;

/** A path without its query, and with `{id}` in place of ids: `/orders/{id}`. */
export function foldPath(path: string): string {
  const [bare = ''] = path.slice(0, 4096).split(/[?#]/, 1);
  const folded = bare
    .split('/')
    .map((segment) => (ID.test(segment) ? '{id}' : segment))
    .join('/');
  return folded.length > MAX_PATH ? `${folded.slice(0, MAX_PATH)}…` : folded;
}

/** The endpoint of a flow: `GET /orders/{id}`; `TCP db:5432`; `DNS example.org`. */
export function formatEndpoint(flow: Flow): string {
  const { request, dns } = flow;
  if (request) return `${request.method.slice(0, 20)} ${foldPath(request.path)}`;
  if (dns) return `DNS ${dns.request.questions[0]?.name.slice(0, MAX_PATH) ?? ''}`;
  const [host, port] = flow.server.address ?? ['', 0];
  return `${flow.type.toUpperCase()} ${host.slice(0, MAX_PATH)}:${port}`;
}
