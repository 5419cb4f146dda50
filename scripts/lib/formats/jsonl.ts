import { isUtf8 } from 'node:buffer';
import { decodeBody } from '../flow/body.ts';
import type { Flow } from '../flow/flow.ts';
import type { Request, Response } from '../flow/http-message.ts';
import { measureLatency } from '../flow/measure.ts';
import type { Message } from '../flow/message.ts';
import { formatUrl } from '../flow/url.ts';

/** A decoded body in JSON: as text if it is UTF-8, otherwise in Base64. */
type Body = { text: string } | { base64: string };

/** Converts a flow to a JSON value. Missing fields are absent. Times are ISO 8601, durations ms. */
export function toJson(flow: Flow): object {
  const { request, response, websocket, error, dns } = flow;
  return {
    type: flow.type,
    id: flow.id,
    time: formatTime(flow.created),
    client: flow.client.peer?.[0],
    latency: measureLatency(flow),
    request: request && { method: request.method, url: formatUrl(request), ...toMessage(request) },
    response: response && { status: response.status, reason: response.reason, ...toMessage(response) },
    websocket: websocket && { messages: websocket.messages.map(toFrame), closeCode: websocket.closeCode },
    server: flow.type === 'tcp' || flow.type === 'udp' ? flow.server.address?.join(':') : undefined,
    messages: flow.messages.length > 0 ? flow.messages.map(toFrame) : undefined,
    questions: dns?.request.questions,
    answers: dns?.response?.answers.map(({ data, ...answer }) => ({ ...answer, ...toContent(data) })),
    error: error?.message,
    comment: flow.comment || undefined,
  };
}

/** A time in seconds since 1970 as ISO 8601, within what a Date can hold. */
export function formatTime(seconds: number): string {
  const ms = Math.min(Math.max(seconds * 1000, 0), 8.64e15);
  return new Date(ms).toISOString();
}

function toMessage(message: Request | Response): object {
  const { httpVersion, headers, trailers, content } = message;
  return { httpVersion, headers, trailers, body: content && toContent(decodeBody(message)) };
}

function toFrame({ fromClient, content, timestamp }: Message): object {
  return { fromClient, time: formatTime(timestamp), ...toContent(content) };
}

function toContent(bytes: Buffer): Body {
  return isUtf8(bytes) ? { text: bytes.toString('utf8') } : { base64: bytes.toString('base64') };
}
