import { decodeBody, findHeader, findMediaType } from '../flow/body.ts';
import { countBytes, formatEndpoint, measureLatency } from '../flow/endpoint.ts';
import type { Connection, DnsMessage, Flow, Headers, Message, Request, Response } from '../flow/flow.ts';
import { findHost } from '../flow/url.ts';

/** The longest body that a report shows, in bytes as decoded; of a longer one it has the beginning. */
export const BODY_BYTES = 64 * 1024;
/** The messages of a flow (WebSocket, TCP, UDP) that are shown, and what of all of them is: as of a body. */
const MESSAGES = 1000;
/** Characters of a text that is no body: a path, a header's value, an error. */
const TEXT_LENGTH = 8 * 1024;
/** Characters of the headers of a message; those beyond are counted. */
const HEADERS_LENGTH = 32 * 1024;
/** The latest time that a Date knows, in seconds; what a flow file says may be anything. */
const MAX_TIME = 8.64e12;
/** Controls that are in texts: tab, line feed, form feed, carriage return, escape. */
const TEXT_CONTROLS = [9, 10, 12, 13, 27];

/** Bytes as a report has them: text where they are, else Base64; neither when they are left out. */
export interface Content {
  /** How many there are, decoded. */
  bytes: number;
  text?: string;
  base64?: string;
  /** Only the beginning is there. */
  cut?: boolean;
}

/** What of a report's room is left for the bodies of a flow. */
export type Bodies = 'with bodies' | 'without bodies';

/**
 * A flow as the report's page reads it: a bounded JSON value of texts, numbers and lists. Times are in seconds since
 * 1970, latency in ms. Read by templates/report/flow.js.
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
    closed: flow.websocket && {
      code: flow.websocket.closeCode,
      reason: flow.websocket.closeReason && clip(flow.websocket.closeReason),
      byClient: flow.websocket.closedByClient,
    },
    ...toMessages(flow.websocket?.messages ?? flow.messages, bodies),
    dns: flow.dns && {
      request: toDns(flow.dns.request),
      response: flow.dns.response && toDns(flow.dns.response),
    },
  };
}

/** A flow that has something to leave out. */
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
  const body = content && (bodies === 'with bodies' ? decodeBody({ content, headers }) : content);
  return {
    ...toHeaders(headers),
    trailers: trailers && toHeaders(trailers).headers,
    version: clip(httpVersion, 40),
    media: clip(findMediaType(headers), 100),
    sent: content?.length,
    body: body && toContent(body, bodies, BODY_BYTES, findCharset(headers)),
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

function toMessages(messages: (Message & { text?: boolean; dropped?: boolean })[], bodies: Bodies) {
  if (messages.length === 0) return {};
  let room = BODY_BYTES;
  const shown = messages.slice(0, MESSAGES).map(({ fromClient, content, timestamp, dropped }) => {
    const message = { fromClient, at: toTime(timestamp), dropped, ...toContent(content, bodies, room) };
    room = Math.max(0, room - content.length);
    return message;
  });
  return { messages: shown, messageCount: messages.length };
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

function toContent(bytes: Buffer, bodies: Bodies, limit: number, charset?: string): Content {
  if (bodies === 'without bodies' && bytes.length > 0) return { bytes: bytes.length };
  const cut = bytes.length > limit;
  const shown = bytes.subarray(0, limit);
  const text = decodeText(shown, cut, charset);
  return {
    bytes: bytes.length,
    ...(text === undefined ? { base64: shown.toString('base64') } : { text }),
    ...(cut && { cut }),
  };
}

/** The character encoding that a Content-Type says. */
function findCharset(headers: Headers): string | undefined {
  return /;\s*charset="?([^\s;"]+)/i.exec(findHeader(headers, 'content-type') ?? '')?.[1];
}

/**
 * Bytes as text, when they have none of the controls that binary data have: as UTF-8, else as what they are said to be.
 * The last character may be cut off.
 */
function decodeText(bytes: Buffer, cut: boolean, charset = 'utf-8'): string | undefined {
  if (bytes.some((byte) => byte < 32 && !TEXT_CONTROLS.includes(byte))) return undefined;
  for (const encoding of ['utf-8', charset]) {
    try {
      return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes, { stream: cut });
    } catch {
      // Not this one, or one that is not known.
    }
  }
  return undefined;
}

function toTime(seconds: number): number {
  return Math.min(Math.max(seconds, 0), MAX_TIME);
}

function clip(text: string, length = TEXT_LENGTH): string {
  return text.length > length ? `${text.slice(0, length)}… (${text.length - length} more characters)` : text;
}
