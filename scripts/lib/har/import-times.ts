import { LAST_MS } from '../flow/cookie.ts';
import { JsonObject } from '../util/json-object.ts';

/** When what an entry of a HAR file tells of happened, in seconds since 1970. */
export interface Times {
  start: number;
  /** When the request was sent. */
  sent: number;
  /** The connection that was made for it, if one was: when it was begun, was there, and was encrypted. */
  connection: { start: number; connected: number; encrypted: number | null } | undefined;
  /** When the response began, and ended. */
  answered: number;
  end: number;
}

/**
 * The times of an entry, in the order in which a proxy sees them: it has the request before it connects.
 * @param isByMitmproxy mitmproxy counts the connection in `wait` too, or it was there before.
 * @throws JsonError for a start that is no date, and for spans that are no numbers.
 */
export function parseTimes(entry: JsonObject, isByMitmproxy: boolean): Times {
  const timings =
    entry.maybeObject('timings') ?? new JsonObject({ wait: entry.maybeNumber('time') }, 'timings');
  // What is unknown is -1.
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

/** A time within what Python's and JavaScript's dates can say; in seconds. */
export function toSeconds(ms: number): number {
  return Math.min(Math.max(ms, 0), LAST_MS) / 1000;
}

/** In ms since 1970. */
function parseStart(entry: JsonObject): number {
  const text = entry.text('startedDateTime');
  const ms = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw entry.wrong('startedDateTime', 'a date');
  return ms;
}
