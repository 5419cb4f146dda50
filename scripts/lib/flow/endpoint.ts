import type { Flow } from './flow.ts';

/** Segments that say which one, not what: numbers, UUIDs, digests, and longer words with digits among letters. */
const ID =
  /^(\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?=.*\d)[0-9a-f]{8,}|(?=.*\d)(?=.*[a-z])[a-z0-9_-]{16,})$/i;
/** Longer ones are cut: a path may have a megabyte. */
const MAX_PATH = 200;

/** A path with what differs from one resource to the next folded into `{id}`, and without its query. */
export function foldPath(path: string): string {
  const [bare = ''] = path.slice(0, 4096).split(/[?#]/, 1);
  const folded = bare
    .split('/')
    .map((segment) => (ID.test(segment) ? '{id}' : segment))
    .join('/');
  return folded.length > MAX_PATH ? `${folded.slice(0, MAX_PATH)}…` : folded;
}

/** The endpoint that a flow is of: `GET /orders/{id}`; `TCP db:5432`; `DNS A example.org`. */
export function formatEndpoint(flow: Flow): string {
  const { request, dns } = flow;
  if (request) return `${request.method.slice(0, 20)} ${foldPath(request.path)}`;
  if (dns) return `DNS ${dns.request.questions[0]?.name.slice(0, MAX_PATH) ?? ''}`;
  const [host, port] = flow.server.address ?? ['', 0];
  return `${flow.type.toUpperCase()} ${host.slice(0, MAX_PATH)}:${port}`;
}

/**
 * How long the answer took, in ms: from the request's first byte to the response's last.
 * @returns undefined when there was no whole answer.
 */
export function measureLatency({ request, response, dns }: Flow): number | undefined {
  const start = request?.start ?? dns?.request.timestamp;
  const end = response?.end ?? dns?.response?.timestamp;
  return start === undefined || end === undefined ? undefined : Math.max(0, (end - start) * 1000);
}

/** How many bytes went to the server and came back, bodies alone, as they were sent. */
export function countBytes(flow: Flow): { sent: number; received: number } {
  const messages = [...flow.messages, ...(flow.websocket?.messages ?? [])];
  const sum = (fromClient: boolean) =>
    messages.reduce(
      (sum, message) => sum + (message.fromClient === fromClient ? message.content.length : 0),
      0,
    );
  return {
    sent: (flow.request?.content?.length ?? 0) + sum(true),
    received: (flow.response?.content?.length ?? 0) + sum(false),
  };
}
