import { decodeBody } from '../flow/body.ts';
import type { Connection } from '../flow/connection.ts';
import { parseCharset, parseMediaType } from '../flow/content-type.ts';
import type { DnsMessage } from '../flow/dns-message.ts';
import { formatEndpoint } from '../flow/endpoint.ts';
import type { Flow } from '../flow/flow.ts';
import { findContentType } from '../flow/headers.ts';
import type { Headers, Request, Response } from '../flow/http-message.ts';
import { countBytes, measureLatency } from '../flow/measure.ts';
import type { Message, WebSocket, WebSocketMessage } from '../flow/message.ts';
import { findHost } from '../flow/url.ts';
import { BODY_BYTES, type Bodies, toContent } from './report-content.ts';

/** The most messages (WebSocket, TCP, UDP) of a flow. Together they are at most as long as a body. */
const MESSAGES = 1000;
/** The longest path, header value, error and so on, in characters. */
const TEXT_LENGTH = 8 * 1024;
/** The longest headers of a message, in characters. Further headers are only counted. */
const HEADERS_LENGTH = 32 * 1024;
/** The latest time that a Date can hold, in seconds. A flow file may contain any number. */
const MAX_TIME = 8.64e12;

/**
 * Converts a flow to the JSON value that templates/report/flow.js reads. Its size is bounded. Times are in seconds since
 * 1970, latencies in ms.
 */
export function toReportFlow(flow: Flow, bodies: Bodies) {
  const { sent, received } = countBytes(flow);
  return {
    type: flow.websocket ? 'websocket' : flow.type,
    started: toTime(flow.request?.start ?? flow.dns?.request.timestamp ?? flow.created),
    latency: measureLatency(flow),
    endpoint: formatEndpoint(flow),
    sent,
    received,
    error: flow.error && clip(flow.error.message),
    comment: clip(flow.comment) || undefined,
    marked: flow.marked.slice(0, 40) || undefined,
    replayed: flow.replayed,
    client: toConnection(flow.client),
    server: toConnection(flow.server),
    request: flow.request && toRequest(flow.request, bodies),
    response: flow.response && toResponse(flow.response, bodies),
    closed: flow.websocket && toClosed(flow.websocket),
    ...toMessages(flow.websocket?.messages ?? flow.messages, bodies),
    dns: flow.dns && {
      request: toDns(flow.dns.request),
      response: flow.dns.response && toDns(flow.dns.response),
    },
  };
}

/** Whether a flow has bodies or messages that a report could leave out. */
export function hasBodies({ request, response, messages, websocket }: Flow): boolean {
  const contents = [request, response, ...messages, ...(websocket?.messages ?? [])];
  return contents.some((message) => message?.content && message.content.length > 0);
}

function toRequest(request: Request, bodies: Bodies) {
  return {
    ...toMessage(request, bodies),
    method: clip(request.method, 40),
    scheme: clip(request.scheme, 40),
    host: clip(findHost(request), 300),
    path: clip(request.path),
  };
}

function toResponse(response: Response, bodies: Bodies) {
  return {
    ...toMessage(response, bodies),
    status: response.status,
    reason: clip(response.reason, 300),
  };
}

function toMessage(message: Request | Response, bodies: Bodies) {
  const { content, headers, trailers, httpVersion, start, end } = message;
  const contentType = findContentType(headers);
  const body = content && (bodies === 'with bodies' ? decodeBody(message) : content);
  return {
    ...toHeaders(headers),
    trailers: trailers && toHeaders(trailers).headers,
    version: clip(httpVersion, 40),
    media: clip(parseMediaType(contentType), 100),
    sent: content?.length,
    body: body && toContent(body, bodies, BODY_BYTES, parseCharset(contentType)),
    start: toTime(start),
    end: end === undefined ? undefined : toTime(end),
  };
}

function toHeaders(headers: Headers): { headers: Headers; moreHeaders?: number } {
  const shown: Headers = [];
  let length = 0;
  for (const [name, value] of headers) {
    const header: Headers[number] = [clip(name, 300), clip(value)];
    length += header.join(': ').length + 1;
    if (length > HEADERS_LENGTH) return { headers: shown, moreHeaders: headers.length - shown.length };
    shown.push(header);
  }
  return { headers: shown };
}

function toMessages(messages: (Message & Partial<WebSocketMessage>)[], bodies: Bodies) {
  if (messages.length === 0) return {};
  let room = BODY_BYTES;
  const shown = messages.slice(0, MESSAGES).map(({ fromClient, content, timestamp, dropped }) => {
    const message = { fromClient, at: toTime(timestamp), dropped, ...toContent(content, bodies, room) };
    room = Math.max(0, room - content.length);
    return message;
  });
  return { messages: shown, messageCount: messages.length };
}

function toClosed({ closeCode, closeReason, closedByClient }: WebSocket) {
  return { code: closeCode, reason: closeReason && clip(closeReason), byClient: closedByClient };
}

function toDns({ questions, answers, responseCode }: DnsMessage) {
  return {
    responseCode,
    questions: questions.slice(0, 20).map(({ name, type }) => ({ name: clip(name, 300), type })),
    answers: answers.slice(0, 100).map(({ name, type, ttl, data }) => {
      return { name: clip(name, 300), type, ttl, data: data.subarray(0, 512).toString('hex') };
    }),
  };
}

function toConnection({ peer, address, tls, tlsVersion, sni, start, connected, encrypted }: Connection) {
  return {
    address: (address ?? peer) && clip((address ?? peer ?? []).join(':'), 300),
    peer: peer && clip(peer.join(':'), 300),
    tls: tls ? clip(tlsVersion ?? 'TLS', 40) : undefined,
    sni: sni && clip(sni, 300),
    connect: start !== undefined && connected !== undefined ? (connected - start) * 1000 : undefined,
    encrypt: connected !== undefined && encrypted !== undefined ? (encrypted - connected) * 1000 : undefined,
  };
}

function toTime(seconds: number): number {
  return Math.min(Math.max(seconds, 0), MAX_TIME);
}

function clip(text: string, length = TEXT_LENGTH): string {
  return text.length > length ? `${text.slice(0, length)}… (${text.length - length} more characters)` : text;
}
