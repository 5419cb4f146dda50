import type { Connection } from '../flow/connection.ts';
import { LAST_MS } from '../flow/cookie.ts';
import type { Flow } from '../flow/flow.ts';
import type { Request } from '../flow/http-message.ts';

/** The `timings` of HAR 1.2 in ms; -1 means unknown. `connect` includes `ssl`. */
interface Timings {
  blocked: number;
  dns: number;
  connect: number;
  ssl: number;
  send: number;
  wait: number;
  receive: number;
}

/**
 * Splits the duration of a flow into phases. The connection has times only if it was opened while this request waited for
 * it: an older connection may have been opened for another request.
 */
export function toTimings({ server, response, error }: Flow, request: Request): Timings {
  const sent = request.end ?? request.start;
  const answered = response?.start ?? error?.timestamp ?? sent;
  const ended = response?.end ?? error?.timestamp ?? answered;
  const own = findOwnConnection(server, request.start, answered);
  return {
    blocked: own ? toSpan(sent, own.start) : -1,
    dns: -1,
    connect: own ? toSpan(own.start, own.open) : -1,
    ssl: own && server.encrypted !== undefined ? toSpan(own.connected, own.open) : -1,
    send: toSpan(request.start, sent),
    wait: toSpan(own ? Math.max(sent, own.open) : sent, answered),
    receive: toSpan(answered, ended),
  };
}

function findOwnConnection({ start, connected, encrypted }: Connection, from: number, to: number) {
  const open = encrypted ?? connected;
  if (start === undefined || connected === undefined || open === undefined) return undefined;
  return start >= from && open <= to ? { start, connected, open } : undefined;
}

/** The `time` of an entry: the sum of its phases, in ms. */
export function toDuration({ blocked, connect, send, wait, receive }: Timings): number {
  return roundMs([blocked, connect, send, wait, receive].reduce((sum, ms) => sum + Math.max(ms, 0), 0));
}

/** A time in seconds since 1970 as ISO 8601, with microseconds. */
export function formatTime(seconds: number): string {
  const total = toMs(seconds);
  const micros = Math.round((total % 1) * 1000);
  const date = new Date(Math.floor(total) + Math.floor(micros / 1000)).toISOString();
  return date.replace('Z', `${String(micros % 1000).padStart(3, '0')}Z`);
}

/** Converts a time in seconds since 1970 to ms, within what a Date can hold. */
export function toMs(seconds: number): number {
  return Math.min(Math.max(seconds * 1000, 0), LAST_MS);
}

/** @param from, to in seconds. @returns ms. */
function toSpan(from: number, to: number): number {
  return roundMs(Math.min(Math.max((to - from) * 1000, 0), LAST_MS));
}

/** Rounds to microseconds; the digits after them are floating point noise. */
function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
