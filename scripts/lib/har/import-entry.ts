import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { FLOW_VERSION, type Flow, toFlow } from '../flow/flow.ts';
import type { Dict, Value } from '../flow/tnetstring.ts';
import { JsonObject } from '../util/json-object.ts';
import { parseHeaders, parseMessage, parseVersion } from './import-message.ts';
import { encodeText } from './import-text.ts';
import { parseTimes, type Times, toSeconds } from './import-times.ts';

/** The ports of the schemes that go over a network; what has another, the browser asked of itself. */
const PORTS: Record<string, number> = { 'http:': 80, 'https:': 443, 'ws:': 80, 'wss:': 443 };

/** Where a request went. */
interface Target {
  isEncrypted: boolean;
  isWebSocket: boolean;
  host: string;
  port: number;
  /** The host, and the port where it is not the scheme's. */
  authority: string;
  path: Buffer;
}

/**
 * The flow that an entry of a HAR file tells of, as a proxy would have recorded it.
 * @param isByMitmproxy whether mitmproxy wrote the file.
 * @returns undefined for what did not go over a network: `data:`, `blob:`, a browser's extensions.
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

/** The path stays as it was sent: a parsed one has no `..`, and no `ä` in it. */
function parseTarget(request: JsonObject): Target | undefined {
  const text = request.text('url');
  if (!URL.canParse(text)) throw request.wrong('url', 'a URL');
  const { protocol, hostname, host, port, pathname, search } = new URL(text);
  const usualPort = Object.hasOwn(PORTS, protocol) ? PORTS[protocol] : undefined;
  if (usualPort === undefined) return undefined;
  const sent = /^\w+:\/\/[^/?#\\]*([^#]*)/.exec(text)?.[1] ?? pathname + search;
  const path = sent.replace(/[\p{Cc} ]/gu, encodeURIComponent);
  return {
    isEncrypted: /^(https|wss):$/.test(protocol),
    isWebSocket: protocol.startsWith('ws'),
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? usualPort : Number(port),
    authority: host,
    path: encodeText(path.startsWith('/') ? path : `/${path}`),
  };
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

/** In HTTP/1 only CONNECT has one in its first line, later versions always; browsers show it as they show headers. */
function findAuthority(request: JsonObject, { authority }: Target): string {
  if (parseVersion(request).startsWith('HTTP/1') && request.text('method') !== 'CONNECT') return '';
  const asked = parseHeaders(request, 'headers')?.find(([name]) => name === ':authority');
  return asked?.[1] ?? authority;
}

/** A status of 0 is none: there was no response. */
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

/** The opcodes of text and binary messages, https://www.rfc-editor.org/rfc/rfc6455#section-5.2. */
const [TEXT, BINARY] = [1, 2];
/** That a socket was closed without a code, https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1. */
const NO_CODE = 1005;

function parseWebSocket(entry: JsonObject, { isWebSocket }: Target, times: Times): Dict | null {
  const messages = entry.maybeObjects('_webSocketMessages');
  const isOpen = isWebSocket && entry.maybeObject('response')?.maybeNumber('status') === 101;
  if (!messages && !isOpen) return null;
  return dict({
    messages: (messages ?? []).flatMap((message) => parseWebSocketMessage(message, times)),
    closed_by_client: null,
    close_code: NO_CODE,
    close_reason: null,
    timestamp_end: null,
  });
}

/** @returns none for what is no message: Chrome has a socket's errors among them. */
function parseWebSocketMessage(message: JsonObject, { answered }: Times): Value[] {
  const [type, opcode] = [message.text('type'), message.maybeNumber('opcode') ?? TEXT];
  if (!['send', 'receive'].includes(type) || (opcode !== TEXT && opcode !== BINARY)) return [];
  const data = message.maybeText('data') ?? '';
  const content = opcode === TEXT ? encodeText(data) : Buffer.from(data, 'base64');
  const time = toSeconds((message.maybeNumber('time') ?? answered) * 1000);
  return [[opcode, type === 'send', content, time, false, false]];
}

/** Nothing is known of it; mitmproxy demands that it has an address. */
function toClient({ isEncrypted }: Target, times: Times): Dict {
  return dict({
    ...toConnection(isEncrypted),
    peername: ['', 0],
    sockname: ['', 0],
    timestamp_start: times.start,
    timestamp_tls_setup: null,
    sni: null,
    mitmcert: null,
    proxy_mode: 'regular',
  });
}

function toServer(entry: JsonObject, { isEncrypted, host, port }: Target, { connection }: Times): Dict {
  const address = entry.maybeText('serverIPAddress')?.replace(/^\[|\]$/g, '') ?? '';
  return dict({
    ...toConnection(isEncrypted),
    peername: isIP(address) ? [address, port] : null,
    sockname: null,
    address: [host, port],
    via: null,
    timestamp_start: connection?.start ?? null,
    timestamp_tcp_setup: connection?.connected ?? null,
    timestamp_tls_setup: connection?.encrypted ?? null,
    sni: isEncrypted && !isIP(host) ? host : null,
  });
}

function toConnection(tls: boolean): Record<string, Value> {
  return {
    id: randomUUID(),
    transport_protocol: 'tcp',
    tls,
    tls_version: null,
    alpn: null,
    alpn_offers: [],
    cipher: null,
    cipher_list: [],
    certificate_list: [],
    error: null,
    timestamp_end: null,
  };
}
