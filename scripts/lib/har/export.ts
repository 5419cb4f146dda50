import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { findHeader } from '../flow/body.ts';
import { LAST_MS, parseRequestCookies, parseResponseCookies } from '../flow/cookie.ts';
import type { Flow, Headers, Request, Response, WebSocket } from '../flow/flow.ts';
import { formatOrigin, readRequestBytes } from '../flow/origin.ts';
import { type HarBody, MAX_FORM, type Param, parsePairs, toContent, toPostData } from './export-body.ts';
import { JsonText } from './json-text.ts';

/** HAR 1.2, http://www.softwareishard.com/blog/har-12-spec/, with the underscored fields that Chrome writes. */

/** Of package.json. */
const CREATOR = { name: 'mittens', version: '0.1.0' };
/** As browsers say it, and as they and mitmproxy read it. */
const HTTP_VERSIONS: Record<string, string> = { 'HTTP/2.0': 'http/2.0', 'HTTP/2': 'http/2.0' };

/** An entry of a HAR file, as far as it matters here; it is to be written as JSON. */
interface HarEntry {
  request: { postData?: HarBody; [field: string]: unknown };
  response: { content: HarBody; [field: string]: unknown };
  [field: string]: unknown;
}

/** Writes flows as a HAR file, an entry a line, one at a time; tcp, udp and dns flows are left out. */
export async function writeHar(
  flows: AsyncIterable<Flow>,
  write: (chunk: string | Buffer) => Promise<void>,
): Promise<void> {
  let separator = formatHarHead();
  for await (const flow of flows) {
    const entry = toHarEntry(flow);
    if (!entry) continue;
    await write(`${separator}\n`);
    await writeEntry(entry, write);
    separator = ',';
  }
  await write(`${separator === ',' ? '' : separator}\n]}}\n`);
}

/** Stands for a body's text until that is written; nothing that was captured can have it. */
const MARK = randomUUID();

async function writeEntry(entry: HarEntry, write: (chunk: string | Buffer) => Promise<void>): Promise<void> {
  const texts: Buffer[] = [];
  for (const body of [entry.request.postData, entry.response.content]) {
    if (!(body?.text instanceof JsonText)) continue;
    texts.push(body.text.json);
    body.text = MARK;
  }
  for (const piece of JSON.stringify(entry).split(MARK)) {
    await write(piece);
    const text = texts.shift();
    if (text) await write(text);
  }
}

/** What is before the entries of a HAR file. */
export function formatHarHead(): string {
  return `{"log":{"version":"1.2","creator":${JSON.stringify(CREATOR)},"pages":[],"entries":[`;
}

/**
 * A flow as an entry of a HAR file, to be written as JSON. Times are in ms.
 * @returns undefined for flows that HAR cannot say: tcp, udp and dns.
 */
export function toHarEntry(flow: Flow): HarEntry | undefined {
  const { request, websocket, server, comment } = flow;
  if (!request) return undefined;
  const timings = toTimings(flow, request);
  const { blocked, connect, send, wait, receive } = timings;
  const time = [blocked, connect, send, wait, receive].reduce((sum, ms) => sum + Math.max(ms, 0), 0);
  const address = server.peer?.[0].replace(/%.*$/, '') ?? '';
  return {
    ...(websocket && { _resourceType: 'websocket', _webSocketMessages: toMessages(websocket) }),
    startedDateTime: new Date(toMs(request.start)).toISOString(),
    time: roundMs(time),
    request: toRequest(flow, request),
    response: toResponse(flow),
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
  const postData = toPostData(request);
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

/** What is not allowed in a URL, as RFC 3986 has it, is percent-encoded: one bad URL makes readers refuse the file. */
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

/** Chrome's response of a request that has none has status 0, and its `_error` says why. */
function toResponse({ response, error }: Flow): HarEntry['response'] {
  if (!response) {
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
  const { status, reason, headers, trailers, content, start } = response;
  const size = measureHeaders(response, `HTTP/1.1 ${status} ${reason}`);
  return {
    status: Math.trunc(status),
    statusText: reason,
    httpVersion: formatVersion(response),
    headers: toFields(headers),
    cookies: parseResponseCookies(headers, toMs(start)),
    content: toContent(response),
    redirectURL: findHeader(headers, 'location') ?? '',
    headersSize: size,
    bodySize: content?.length ?? -1,
    ...(content && { _transferSize: Math.max(size, 0) + content.length }),
    ...(error && { _error: error.message }),
    ...(trailers && { _trailers: toFields(trailers) }),
  };
}

/**
 * Where the time went, in ms; -1 is unknown. `connect` includes `ssl`; it is there when the connection was opened while
 * this request waited for it. A connection that was open before may have been opened for another.
 */
function toTimings({ server, response, error }: Flow, request: Request) {
  const sent = request.end ?? request.start;
  const answered = response?.start ?? error?.timestamp ?? sent;
  const ended = response?.end ?? error?.timestamp ?? answered;
  const { start, connected, encrypted } = server;
  const open = encrypted ?? connected;
  const own =
    start !== undefined && connected !== undefined && open !== undefined
      ? start >= request.start && open <= answered
      : false;
  const [from = 0, up = 0, to = 0] = own ? [start, connected, open] : [];
  return {
    blocked: own ? toSpan(sent, from) : -1,
    dns: -1,
    connect: own ? toSpan(from, to) : -1,
    ssl: own && encrypted !== undefined ? toSpan(up, to) : -1,
    send: toSpan(request.start, sent),
    wait: toSpan(own ? Math.max(sent, to) : sent, answered),
    receive: toSpan(answered, ended),
  };
}

/** @param from, to in seconds. */
function toSpan(from: number, to: number): number {
  return roundMs(Math.min(Math.max((to - from) * 1000, 0), LAST_MS));
}

/** To microseconds: more is noise of the floating point. */
function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function toMs(seconds: number): number {
  return Math.min(Math.max(seconds * 1000, 0), LAST_MS);
}

/** Chrome's `_webSocketMessages`: times are in seconds, and what is no text is in Base64. */
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

/** From the first line to the empty one, in bytes; unknown where HTTP/2 and later compressed them. */
function measureHeaders({ httpVersion, headers }: Request | Response, firstLine: string): number {
  if (!httpVersion.startsWith('HTTP/1')) return -1;
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.byteLength(`${firstLine}\r\n${lines.join('')}\r\n`);
}
