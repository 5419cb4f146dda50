import { LAST_MS } from '../flow/cookie.ts';
import { JsonObject } from '../util/json-object.ts';

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
 * @throws JsonError if the start is not a date or a timing is not a number.
 */
export function parseTimes(entry: JsonObject, isByMitmproxy: boolean): Times {
  const timings =
    entry.maybeObject('timings') ?? new JsonObject({ wait: entry.maybeNumber('time') }, 'timings');
  // -1 means unknown.
  const span = (name: string) => Math.max(timings.maybeNumber(name) ?? 0, 0);
  const connect = isByMitmproxy ? 0 : span('connect');
  const ssl = Math.min(span('ssl'), connect);
  const start = parseStart(entry);
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

/** @returns ms since 1970. */
function parseStart(entry: JsonObject): number {
  const text = entry.text('startedDateTime');
  const ms = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw entry.wrong('startedDateTime', 'a date');
  return ms;
}
