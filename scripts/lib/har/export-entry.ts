import { isIP } from 'node:net';
import { parseRequestCookies, parseResponseCookies } from '../flow/cookie.ts';
import type { Flow } from '../flow/flow.ts';
import { findHeader } from '../flow/headers.ts';
import type { Headers, Request, Response } from '../flow/http-message.ts';
import type { WebSocket } from '../flow/message.ts';
import { formatOrigin, readRequestBytes } from '../flow/origin.ts';
import { type HarBody, MAX_FORM, type Param, parsePairs, toContent, toPostData } from './export-body.ts';
import { formatTime, toDuration, toMs, toTimings } from './export-times.ts';
import { MIME_TYPES } from './mime-type.ts';

/** The names that browsers write and that browsers and mitmproxy read. */
const HTTP_VERSIONS: Record<string, string> = { 'HTTP/2.0': 'http/2.0', 'HTTP/2': 'http/2.0' };

/** An entry of a HAR file, to be written as JSON. Fields with an underscore are those that Chrome adds. */
export interface HarEntry {
  request: { postData?: HarBody; [field: string]: unknown };
  response: { content: HarBody; [field: string]: unknown };
  [field: string]: unknown;
}

/**
 * Converts a flow to an entry of a HAR file. Times are in ms.
 * @returns undefined for tcp, udp and dns flows, which HAR does not have.
 */
export function toHarEntry(flow: Flow): HarEntry | undefined {
  const { request, websocket, server, comment } = flow;
  if (!request) return undefined;
  const timings = toTimings(flow, request);
  const address = server.peer?.[0].replace(/%.*$/, '') ?? '';
  return {
    ...(websocket && { _resourceType: 'websocket', _webSocketMessages: toMessages(websocket) }),
    startedDateTime: formatTime(request.start),
    time: toDuration(timings),
    request: toRequest(flow, request),
    response: flow.response ? toResponse(flow, flow.response) : toMissingResponse(flow),
    cache: {},
    timings,
    ...(isIP(address) && { serverIPAddress: address }),
    connection: server.id,
    ...(comment && { comment }),
  };
}

function toRequest(flow: Flow, request: Request): HarEntry['request'] {
  const { method, headers, trailers, content } = request;
  const url = formatUrl(flow, request);
  const query = url.split('?').slice(1).join('?');
  const queryString: Param[] = parsePairs(query.slice(0, MAX_FORM));
  const postData = toPostData(request, findMimeType(flow, 'request'));
  return {
    method,
    url,
    httpVersion: formatVersion(request),
    headers: toFields(headers),
    queryString,
    cookies: parseRequestCookies(headers),
    headersSize: measureHeaders(request, `${method} ${request.path} HTTP/1.1`),
    bodySize: content?.length ?? -1,
    ...(postData && { postData }),
    ...(trailers && { _trailers: toFields(trailers) }),
  };
}

/** Percent-encodes what RFC 3986 does not allow in a URL: one bad URL makes readers refuse the whole file. */
function formatUrl(flow: Flow, request: Request): string {
  const origin = formatOrigin(request);
  const path = readRequestBytes(flow, 'path')
    .toString('latin1')
    .replace(/%(?![0-9a-f]{2})|[^!$%&'()*+,\-./0-9:;=?@A-Z_a-z~]/gi, (char) => {
      return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
    });
  const url = `${origin}${path.startsWith('/') ? '' : '/'}${path}`;
  return flow.websocket ? url.replace(/^http/, 'ws') : url;
}

/** As Chrome writes a request without a response: status 0, and the reason in `_error`. */
function toMissingResponse({ error }: Flow): HarEntry['response'] {
  return {
    status: 0,
    statusText: '',
    httpVersion: '',
    headers: [],
    cookies: [],
    content: { size: 0, mimeType: 'x-unknown' },
    redirectURL: '',
    headersSize: -1,
    bodySize: -1,
    _transferSize: 0,
    _error: error?.message ?? null,
  };
}

function toResponse(flow: Flow, response: Response): HarEntry['response'] {
  const { error } = flow;
  const { status, reason, headers, trailers, content, start } = response;
  const size = measureHeaders(response, `HTTP/1.1 ${status} ${reason}`);
  return {
    status: Math.trunc(status),
    statusText: reason,
    httpVersion: formatVersion(response),
    headers: toFields(headers),
    cookies: parseResponseCookies(headers, toMs(start)),
    content: toContent(response, findMimeType(flow, 'response')),
    redirectURL: findHeader(headers, 'location') ?? '',
    headersSize: size,
    bodySize: content?.length ?? -1,
    ...(content && { _transferSize: Math.max(size, 0) + content.length }),
    ...(error && { _error: error.message }),
    ...(trailers && { _trailers: toFields(trailers) }),
  };
}

function findMimeType({ metadata }: Flow, side: 'request' | 'response'): string | undefined {
  const type = metadata.get(MIME_TYPES[side]);
  return typeof type === 'string' ? type : undefined;
}

/** Chrome's `_webSocketMessages`: times in seconds, binary messages in Base64. */
function toMessages({ messages }: WebSocket): object[] {
  return messages.map(({ fromClient, timestamp, text, content }) => ({
    type: fromClient ? 'send' : 'receive',
    time: timestamp,
    opcode: text ? 1 : 2,
    data: content.toString(text ? 'utf8' : 'base64'),
  }));
}

function formatVersion({ httpVersion }: Request | Response): string {
  return HTTP_VERSIONS[httpVersion] ?? httpVersion;
}

function toFields(headers: Headers): Param[] {
  return headers.map(([name, value]) => ({ name, value }));
}

/** The bytes from the first line to the empty line; -1 (unknown) for HTTP/2 and later, which compress headers. */
function measureHeaders({ httpVersion, headers }: Request | Response, firstLine: string): number {
  if (!httpVersion.startsWith('HTTP/1')) return -1;
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.byteLength(`${firstLine}\r\n${lines.join('')}\r\n`);
}
