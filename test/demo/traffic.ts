import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { printable } from '../../scripts/lib/talk.ts';
import type { Stage } from './stage.ts';

/** A request as the proxy tells it: a line of JSON in its container's log, see templates/sidecar.yaml. */
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

/** The requests that proxies in some pods write into their logs, as they come. */
export class Traffic {
  readonly requests: Request[] = [];
  readonly #children: ChildProcess[];

  constructor({ kubectl }: Stage, pods: string[], container: string) {
    this.#children = pods.map((pod) => kubectl.stream(['logs', '--follow', `pod/${pod}`, '-c', container]));
  }

  /** Calls back with every request until time is up. */
  async watch(onRequest: (request: Request) => void, ms: number, signal: AbortSignal): Promise<void> {
    const take = (line: string) => {
      const request = parse(line);
      if (request) onRequest(request);
      if (request) this.requests.push(request);
    };
    for (const { stdout } of this.#children) if (stdout) createInterface(stdout).on('line', take);
    await new Promise<void>((resolve) => {
      setTimeout(resolve, ms);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    for (const child of this.#children) child.kill();
    signal.throwIfAborted();
  }
}

function parse(line: string): Request | undefined {
  try {
    const request = JSON.parse(line) as Request;
    const { from, method, path } = request;
    return { ...request, from: printable(from), method: printable(method), path: printable(path) };
  } catch {
    // mitmproxy's own words.
    return undefined;
  }
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
