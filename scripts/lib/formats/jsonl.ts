import { isUtf8 } from 'node:buffer';
import { bodyOf } from '../flow/body.ts';
import { latencyOf } from '../flow/endpoint.ts';
import type { Flow, Headers, Message } from '../flow/flow.ts';
import { urlOf } from '../flow/url.ts';

/** A body in JSON: its text, or, where it is none, its bytes in base64; with content encodings undone. */
type Body = { text: string } | { base64: string };

/** A flow as one JSON value; what it does not have is absent. Times are ISO 8601, durations ms. */
export function jsonOf(flow: Flow): object {
  const { request, response, websocket, error, dns } = flow;
  return {
    type: flow.type,
    id: flow.id,
    time: isoOf(flow.created),
    client: flow.client.peer?.[0],
    latency: latencyOf(flow),
    request: request && {
      method: request.method,
      url: urlOf(request),
      ...messageOf(request),
    },
    response: response && { status: response.status, reason: response.reason, ...messageOf(response) },
    websocket: websocket && { messages: websocket.messages.map(frameOf), closeCode: websocket.closeCode },
    server: flow.type === 'tcp' || flow.type === 'udp' ? flow.server.address?.join(':') : undefined,
    messages: flow.messages.length > 0 ? flow.messages.map(frameOf) : undefined,
    questions: dns?.request.questions,
    answers: dns?.response?.answers.map(({ data, ...answer }) => ({ ...answer, ...contentOf(data) })),
    error: error?.message,
    comment: flow.comment || undefined,
  };
}

/** A time of a flow in ISO 8601; times beyond what a Date can say are at its edge. */
export function isoOf(seconds: number): string {
  const ms = Math.min(Math.max(seconds * 1000, 0), 8.64e15);
  return new Date(ms).toISOString();
}

function messageOf(message: {
  httpVersion: string;
  headers: Headers;
  trailers: Headers | undefined;
  content: Buffer | undefined;
}): object {
  const { httpVersion, headers, trailers, content } = message;
  return { httpVersion, headers, trailers, body: content && contentOf(bodyOf(message)) };
}

function frameOf({ fromClient, content, timestamp }: Message): object {
  return { fromClient, time: isoOf(timestamp), ...contentOf(content) };
}

function contentOf(bytes: Buffer): Body {
  return isUtf8(bytes) ? { text: bytes.toString('utf8') } : { base64: bytes.toString('base64') };
}
