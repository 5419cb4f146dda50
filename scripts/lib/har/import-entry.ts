import { randomUUID } from 'node:crypto';
import { type Flow, toFlow } from '../flow/flow.ts';
import { FLOW_VERSION } from '../flow/migrate.ts';
import type { Dict, Value } from '../flow/tnetstring.ts';
import { JsonObject } from '../util/json-object.ts';
import { toClient, toServer } from './import-connection.ts';
import { parseHeaders, parseMessage, parseVersion } from './import-message.ts';
import { parseTarget, type Target } from './import-target.ts';
import { encodeText } from './import-text.ts';
import { parseTimes, type Times } from './import-times.ts';
import { parseWebSocket } from './import-websocket.ts';

/**
 * Converts an entry of a HAR file to a flow as a proxy would have recorded it.
 * @param isByMitmproxy whether mitmproxy wrote the file.
 * @returns undefined for requests that did not use the network: `data:`, `blob:`, browser extensions.
 * @throws JsonError for a field that is missing or of another type.
 */
export function parseEntry(value: unknown, isByMitmproxy: boolean): Flow | undefined {
  const entry = new JsonObject(value, '');
  const request = entry.object('request');
  const target = parseTarget(request);
  if (!target) return undefined;
  const response = entry.maybeObject('response');
  const times = parseTimes(entry, isByMitmproxy);
  return toFlow(
    dict({
      version: FLOW_VERSION,
      type: 'http',
      id: randomUUID(),
      timestamp_created: times.start,
      error: parseError(response, times),
      client_conn: toClient(target, times),
      server_conn: toServer(entry, target, times),
      request: parseRequest(request, target, times, isByMitmproxy),
      response: parseResponse(response, times, isByMitmproxy),
      websocket: parseWebSocket(entry, target, times),
      marked: '',
      comment: entry.maybeText('comment') ?? '',
      is_replay: null,
      metadata: new Map(),
      intercepted: false,
      backup: null,
    }),
  );
}

function dict(fields: Record<string, Value>): Dict {
  return new Map(Object.entries(fields));
}

function parseRequest(request: JsonObject, target: Target, times: Times, isByMitmproxy: boolean): Dict {
  return dict({
    ...parseMessage(request, request.maybeObject('postData'), isByMitmproxy),
    timestamp_start: times.start,
    timestamp_end: times.sent,
    method: encodeText(request.text('method')),
    scheme: Buffer.from(target.isEncrypted ? 'https' : 'http'),
    authority: encodeText(findAuthority(request, target)),
    host: target.host,
    port: target.port,
    path: target.path,
  });
}

/** HTTP/1 has an authority only in CONNECT, later versions always. Browsers show it as a header. */
function findAuthority(request: JsonObject, { authority }: Target): string {
  if (parseVersion(request).startsWith('HTTP/1') && request.text('method') !== 'CONNECT') return '';
  const asked = parseHeaders(request, 'headers')?.find(([name]) => name === ':authority');
  return asked?.[1] ?? authority;
}

/** A status of 0 means that there was no response. */
function parseResponse(response: JsonObject | undefined, times: Times, isByMitmproxy: boolean): Dict | null {
  const status = response?.maybeNumber('status') ?? 0;
  if (!response || status === 0) return null;
  if (!Number.isInteger(status) || status < 0 || status > 999) throw response.wrong('status', 'a status');
  return dict({
    ...parseMessage(response, response.maybeObject('content'), isByMitmproxy),
    timestamp_start: times.answered,
    timestamp_end: times.end,
    status_code: status,
    reason: encodeText(response.maybeText('statusText') ?? ''),
  });
}

function parseError(response: JsonObject | undefined, { end }: Times): Dict | null {
  const msg = response?.maybeText('_error');
  return msg ? dict({ msg, timestamp: end }) : null;
}
