import { randomUUID } from 'node:crypto';
import { type Flow, toFlow } from '../flow/flow.ts';
import { FLOW_VERSION } from '../flow/migrate.ts';
import type { Dict, Value } from '../flow/tnetstring.ts';
import { JsonError } from '../util/json-object.ts';
import { toClient, toServer } from './import-connection.ts';
import { parseHeaders, parseMessage, parseVersion } from './import-message.ts';
import { parseTarget, type Target } from './import-target.ts';
import { encodeText } from './import-text.ts';
import { parseStart, parseTimes, type Times } from './import-times.ts';
import { parseWebSocket } from './import-websocket.ts';
import { LooseObject } from './loose-object.ts';
import { MIME_TYPES } from './mime-type.ts';

export interface EntryOptions {
  /** Whether mitmproxy wrote the file. */
  isByMitmproxy: boolean;
  /** The start of an entry that does not have one, in seconds since 1970. */
  start: number;
  /** Is told about parts of the entry that cannot be used. */
  onProblem: (problem: string) => void;
}

/**
 * Converts an entry of a HAR file to a flow as a proxy would have recorded it.
 * @returns undefined for requests that did not use the network: `data:`, `blob:`, browser extensions.
 * @throws JsonError if there is no request, or if it has no method or URL.
 */
export function parseEntry(value: unknown, options: EntryOptions): Flow | undefined {
  const entry = LooseObject.from(value);
  const request = entry?.object('request');
  if (!entry || !request) throw new JsonError('there is no request');
  const target = parseTarget(request);
  if (!target) return undefined;
  if (!request.text('method')) throw new JsonError('request.method is missing');
  const { isByMitmproxy, start, onProblem } = options;
  if (parseStart(entry) === undefined) onProblem('startedDateTime is not a date');
  const times = parseTimes(entry, isByMitmproxy, start);
  const response = findResponse(entry, onProblem);
  return toFlow(
    dict({
      ...EMPTY,
      id: randomUUID(),
      timestamp_created: times.start,
      error: parseError(entry.object('response'), times),
      client_conn: toClient(target, times),
      server_conn: toServer(entry, target, times),
      request: parseRequest(request, target, times, isByMitmproxy),
      response: response ? parseResponse(response, times, isByMitmproxy) : null,
      websocket: parseWebSocket(entry, target, times),
      comment: entry.text('comment') ?? '',
      metadata: parseMimeTypes(request, response),
    }),
  );
}

/** The fields of a flow that HAR does not have. */
const EMPTY = {
  version: FLOW_VERSION,
  type: 'http',
  marked: '',
  is_replay: null,
  intercepted: false,
  backup: null,
};

function dict(fields: Record<string, Value>): Dict {
  return new Map(Object.entries(fields));
}

/** A status of 0 or less, or none, means that there was no response. */
function findResponse(entry: LooseObject, onProblem: (problem: string) => void): LooseObject | undefined {
  const response = entry.object('response');
  if (!response && entry.has('response')) onProblem('response is not an object');
  if (!response?.has('status')) return undefined;
  const status = response.number('status') ?? Number.NaN;
  if (status <= 0) return undefined;
  if (Number.isInteger(status) && status <= 999) return response;
  onProblem('response.status is not a status');
  return undefined;
}

function parseRequest(request: LooseObject, target: Target, times: Times, isByMitmproxy: boolean): Dict {
  return dict({
    ...parseMessage(request, request.object('postData'), isByMitmproxy),
    timestamp_start: times.start,
    timestamp_end: times.sent,
    method: encodeText(request.text('method') ?? ''),
    scheme: Buffer.from(target.isEncrypted ? 'https' : 'http'),
    authority: encodeText(findAuthority(request, target)),
    host: target.host,
    port: target.port,
    path: target.path,
  });
}

/** HTTP/1 has an authority only in CONNECT, later versions always. Browsers show it as a header. */
function findAuthority(request: LooseObject, { authority }: Target): string {
  if (parseVersion(request).startsWith('HTTP/1') && request.text('method') !== 'CONNECT') return '';
  const asked = parseHeaders(request, 'headers')?.find(([name]) => name === ':authority');
  return asked?.[1] ?? authority;
}

function parseResponse(response: LooseObject, times: Times, isByMitmproxy: boolean): Dict {
  return dict({
    ...parseMessage(response, response.object('content'), isByMitmproxy),
    timestamp_start: times.answered,
    timestamp_end: times.end,
    status_code: response.number('status') ?? 0,
    reason: encodeText(response.text('statusText') ?? ''),
  });
}

/** Some tools write an object instead of a text: `{"code": "ERR_FAILED"}`. */
function parseError(response: LooseObject | undefined, { end }: Times): Dict | null {
  const error = response?.object('_error');
  const msg = error
    ? (error.text('message') ?? error.text('code') ?? response?.json('_error'))
    : response?.text('_error');
  return msg ? dict({ msg, timestamp: end }) : null;
}

/** Keeps the media types of messages without Content-Type, so that they can be written again. */
function parseMimeTypes(request: LooseObject, response: LooseObject | undefined): Dict {
  const types: [string, string | undefined][] = [
    [MIME_TYPES.request, request.object('postData')?.text('mimeType')],
    [MIME_TYPES.response, response?.object('content')?.text('mimeType')],
  ];
  const known = types.filter((type): type is [string, string] => Boolean(type[1]) && type[1] !== 'x-unknown');
  return new Map(known);
}
