import type { Fields } from './fields.ts';

export type Headers = [name: string, value: string][];

/** What requests and responses have in common. Times are seconds since 1970. */
interface HttpMessage {
  /** `HTTP/1.1`, `HTTP/2.0`. */
  httpVersion: string;
  headers: Headers;
  trailers: Headers | undefined;
  /** The body as it was sent, still content-encoded; undefined if it was streamed and not recorded. */
  content: Buffer | undefined;
  start: number;
  end: number | undefined;
}

export interface Request extends HttpMessage {
  method: string;
  scheme: string;
  /** Host and port to which the proxy sent the request. */
  host: string;
  port: number;
  path: string;
  /** The :authority of HTTP/2, or the target of CONNECT. */
  authority: string;
}

export interface Response extends HttpMessage {
  status: number;
  reason: string;
}

/** Reads a request from a flow's state. */
export function toRequest(request: Fields): Request {
  const { httpVersion, headers, trailers, content, start, end } = toHttpMessage(request);
  // Spelled out: V8 takes ten times as long to spread an object and add to it, and there are many requests.
  return {
    httpVersion,
    headers,
    trailers,
    content,
    start,
    end,
    method: request.bytesAsText('method'),
    scheme: request.bytesAsText('scheme'),
    host: request.text('host'),
    port: request.number('port'),
    path: request.bytesAsText('path'),
    authority: request.bytesAsText('authority'),
  };
}

/** Reads a response from a flow's state. */
export function toResponse(response: Fields): Response {
  const { httpVersion, headers, trailers, content, start, end } = toHttpMessage(response);
  return {
    httpVersion,
    headers,
    trailers,
    content,
    start,
    end,
    status: response.number('status_code'),
    reason: response.bytesAsText('reason'),
  };
}

function toHttpMessage(message: Fields): HttpMessage {
  return {
    httpVersion: message.bytesAsText('http_version'),
    headers: message.headers('headers'),
    trailers: message.maybe('trailers', message.headers),
    content: message.maybe('content', message.bytes),
    start: message.number('timestamp_start'),
    end: message.maybe('timestamp_end', message.number),
  };
}
