import { formatEndpoint } from './endpoint.ts';
import type { Flow } from './flow.ts';
import { Histogram } from './histogram.ts';
import { countBytes, measureLatency } from './measure.ts';

/** The flows of one endpoint, counted. */
export interface Endpoint {
  name: string;
  count: number;
  /** The number of flows by status; flows without one count as `error` or `none`. */
  statuses: Map<string, number>;
  /** In ms. */
  latency: Histogram;
  /** Body bytes. */
  sent: number;
  received: number;
}

/** A client that requests random paths must not fill the memory: further endpoints are counted together. */
const MAX_ENDPOINTS = 10_000;
const OTHER = '(other endpoints)';

/** Counts the flows of a capture by endpoint. */
export class Summary {
  readonly endpoints = new Map<string, Endpoint>();
  readonly total = newEndpoint('total');
  /** Seconds since 1970. */
  first = Number.POSITIVE_INFINITY;
  last = Number.NEGATIVE_INFINITY;

  /** @returns the endpoint that counts the flow. */
  add(flow: Flow): Endpoint {
    const endpoint = this.#endpoint(formatEndpoint(flow));
    const status = formatStatus(flow);
    const latency = measureLatency(flow);
    const { sent, received } = countBytes(flow);
    for (const one of [endpoint, this.total]) {
      one.count++;
      one.statuses.set(status, (one.statuses.get(status) ?? 0) + 1);
      // The latency of a WebSocket would be the time it was open.
      if (latency !== undefined && !flow.websocket) one.latency.add(latency);
      one.sent += sent;
      one.received += received;
    }
    this.first = Math.min(this.first, flow.created);
    this.last = Math.max(this.last, flow.created + (latency ?? 0) / 1000);
    return endpoint;
  }

  /** The endpoints with the most flows first. */
  sorted(): Endpoint[] {
    return [...this.endpoints.values()].sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  }

  #endpoint(name: string): Endpoint {
    const known = this.endpoints.get(name);
    if (known) return known;
    const key = this.endpoints.size < MAX_ENDPOINTS ? name : OTHER;
    const endpoint = this.endpoints.get(key) ?? newEndpoint(key);
    this.endpoints.set(key, endpoint);
    return endpoint;
  }
}

/** The status of the response; `error` for a failed flow; otherwise `none`. */
export function formatStatus(flow: Flow): string {
  if (flow.response) return String(flow.response.status);
  return flow.error ? 'error' : 'none';
}

function newEndpoint(name: string): Endpoint {
  return { name, count: 0, statuses: new Map(), latency: new Histogram(), sent: 0, received: 0 };
}
