import type { Flow } from '../../scripts/lib/flow/flow.ts';
import { findHeader } from '../../scripts/lib/flow/headers.ts';
import { countBytes, measureLatency } from '../../scripts/lib/flow/measure.ts';
import { printable } from '../../scripts/lib/util/log.ts';

/** What the demo shows of a request. */
export interface Request {
  /** Seconds since 1970. */
  at: number;
  from: string;
  method: string;
  path: string;
  status: number;
  ms: number;
  bytes: number;
}

/** The answered request that a flow is; undefined when it is something else. */
export function requestOf(flow: Flow): Request | undefined {
  const { request, response } = flow;
  if (!request || !response) return undefined;
  return {
    at: request.start,
    from: printable(findHeader(request.headers, 'user-agent') ?? ''),
    method: printable(request.method),
    path: printable(request.path),
    status: response.status,
    ms: measureLatency(flow) ?? 0,
    bytes: countBytes(flow).received,
  };
}

/** A request as a line of at most 80 columns. */
export function lineOf({ at, from, method, path, status, ms, bytes }: Request): string {
  const time = new Date(at * 1000).toTimeString().slice(0, 8);
  const what = `${from.padEnd(8)} ${method.padEnd(4)} ${path.slice(0, 24).padEnd(24)}`;
  const answer = paint(status >= 500 ? RED : status >= 400 ? YELLOW : GREEN, String(status));
  const took = `${Math.round(ms)} ms`.padStart(7);
  return `  ${time}  ${what} ${answer} ${ms >= SLOW_MS ? paint(BOLD, took) : took} ${`${bytes} b`.padStart(7)}`;
}

/** What was seen, by endpoint. */
export function summaryOf(requests: Request[]): string[] {
  const endpoints = new Map<string, Request[]>();
  for (const request of requests) {
    const name = `${request.method.padEnd(4)} ${request.path.replace(/\?.*/, '')}`;
    endpoints.set(name, [...(endpoints.get(name) ?? []), request]);
  }
  return [...endpoints].sort().map(([name, some]) => {
    const slowest = Math.round(Math.max(...some.map(({ ms }) => ms)));
    return `  ${name.padEnd(24)} ${String(some.length).padStart(3)}   ${statusesOf(some).padEnd(16)} slowest ${slowest} ms`;
  });
}

function statusesOf(requests: Request[]): string {
  const statuses = [...new Set(requests.map(({ status }) => status))].sort();
  return statuses
    .map((status) => `${status} ×${requests.filter((request) => request.status === status).length}`)
    .join('  ');
}

const SLOW_MS = 300;
const [BOLD, RED, GREEN, YELLOW] = [1, 31, 32, 33];

/** Coloured, where somebody looks. */
export function paint(code: number, text: string): string {
  return process.stdout.isTTY && !process.env.NO_COLOR ? `\x1b[${code}m${text}\x1b[0m` : text;
}
