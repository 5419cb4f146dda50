import { LAST_MS } from '../flow/cookie.ts';
import type { LooseObject } from './loose-object.ts';

/** The times of a HAR entry, in seconds since 1970. */
export interface Times {
  start: number;
  /** When the request was sent. */
  sent: number;
  /** The connection that was opened for the request: when it was started, when TCP was set up, and when TLS was. */
  connection: { start: number; connected: number; encrypted: number | null } | undefined;
  /** When the response began. */
  answered: number;
  /** When the response ended. */
  end: number;
}

/**
 * Parses the times of an entry and puts them in the order of a proxy, which has the request before it connects.
 * @param isByMitmproxy mitmproxy's `wait` includes `connect`, so `connect` must not be added.
 * @param otherwise the start if the entry has none, in seconds since 1970.
 */
export function parseTimes(entry: LooseObject, isByMitmproxy: boolean, otherwise: number): Times {
  const timings = entry.object('timings');
  const total = timings ? 0 : entry.number('time');
  // -1 means unknown.
  const span = (name: string) => Math.max(timings?.number(name) ?? (name === 'wait' ? total : 0) ?? 0, 0);
  const connect = isByMitmproxy ? 0 : span('connect');
  const ssl = Math.min(span('ssl'), connect);
  const start = parseStart(entry) ?? otherwise * 1000;
  const sent = start + span('send');
  const connecting = sent + span('blocked') + span('dns');
  const open = connecting + connect;
  const answered = open + span('wait');
  const connection = {
    start: toSeconds(connecting),
    connected: toSeconds(open - ssl),
    encrypted: ssl > 0 ? toSeconds(open) : null,
  };
  return {
    start: toSeconds(start),
    sent: toSeconds(sent),
    connection: connect > 0 ? connection : undefined,
    answered: toSeconds(answered),
    end: toSeconds(answered + span('receive')),
  };
}

/** Converts ms to seconds since 1970, within what dates in Python and JavaScript can hold. */
export function toSeconds(ms: number): number {
  return Math.min(Math.max(ms, 0), LAST_MS) / 1000;
}

/**
 * Parses the start of an entry: ISO 8601, or ms since 1970. Dates in JavaScript have only ms, so the rest is added.
 * @returns ms since 1970; undefined if it is neither.
 */
export function parseStart(entry: LooseObject): number | undefined {
  const text = entry.text('startedDateTime') ?? '';
  if (/^\d{11,14}(\.\d+)?$/.test(text)) return Number(text);
  const ms = /^\d{4}-\d\d-\d\d[T ]/.test(text) ? Date.parse(text) : Number.NaN;
  const [, rest] = /\.\d{3}(\d+)/.exec(text) ?? [];
  return Number.isNaN(ms) ? undefined : ms + (rest ? Number(`0.${rest}`) : 0);
}
