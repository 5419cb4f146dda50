/** A header as it was sent. */
export type RawHeader = [name: Buffer, value: Buffer];

interface Head {
  /** `HTTP/1.1`, `HTTP/2.0`. */
  httpVersion: Buffer;
  headers: RawHeader[];
  /** How many bytes it has. */
  bytes: number;
}

export interface RequestHead extends Head {
  method: Buffer;
  scheme: Buffer;
  /** Of the target, where it has one. */
  authority: Buffer;
  path: Buffer;
}

export interface ResponseHead extends Head {
  status: number;
  reason: Buffer;
}

/** What is not HTTP, in words. */
export class HttpError extends Error {}

/** The longest head that is read; Node.js takes 16 KiB, and other servers rarely more than 64. */
export const MAX_HEAD_BYTES = 1024 * 1024;
const MAX_HEADERS = 10_000;

const [LF, CR, SPACE, TAB, COLON] = [10, 13, 32, 9, 58];

/** Finds the end of a head that comes in pieces; what was searched once is not searched again. */
export class HeadScanner {
  #searched = 0;

  /**
   * @param bytes from the head's beginning on; at the next call the same and more.
   * @returns how many bytes the head has, with the empty line that ends it; undefined when its end has not come.
   * @throws HttpError for a head that is longer than 1 MiB.
   */
  find(bytes: Buffer): number | undefined {
    let at = this.#searched;
    for (; at < bytes.length; at++) {
      if (bytes[at] !== LF) continue;
      const end = bytes[at + 1] === CR ? at + 2 : at + 1;
      if (end >= bytes.length) break;
      if (bytes[end] === LF) {
        this.#searched = 0;
        return end + 1;
      }
    }
    this.#searched = at;
    if (bytes.length > MAX_HEAD_BYTES) throw new HttpError(`a head of more than ${MAX_HEAD_BYTES} bytes`);
    return undefined;
  }
}

/** How many bytes the line ends have with which the bytes begin: some clients send them after a body. */
export function countBlank(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === LF || (bytes[at] === CR && bytes[at + 1] === LF)) at += bytes[at] === LF ? 1 : 2;
  return at;
}

/**
 * Reads the head of a request. The flow's fields are views of its bytes.
 * @throws HttpError when it is not the head of an HTTP/1 request.
 */
export function parseRequestHead(head: Buffer): RequestHead {
  const { line, headers } = splitHead(head);
  const { method, target, httpVersion } = parseRequestLine(line);
  const { scheme, authority, path } = parseTarget(method, target);
  return { method, scheme, authority, path, httpVersion, headers, bytes: head.length };
}

/** Reads the head of a response. @throws HttpError when it is not the head of an HTTP/1 response. */
export function parseResponseHead(head: Buffer): ResponseHead {
  const { line, headers } = splitHead(head);
  const [, version, status, reason = ''] =
    /^(HTTP\/1\.\d) +(\d{3})(?: (.*))?$/s.exec(line.toString('latin1')) ?? [];
  if (version === undefined) throw new HttpError(`Bad HTTP response line: ${quote(line)}`);
  return {
    httpVersion: line.subarray(0, version.length),
    status: Number(status),
    reason: line.subarray(line.length - reason.length),
    headers,
    bytes: head.length,
  };
}

/** Headers that stand after a body. @throws HttpError when they are none. */
export function parseTrailers(lines: Buffer): RawHeader[] {
  return parseHeaders(lines, 0);
}

function splitHead(head: Buffer): { line: Buffer; headers: RawHeader[] } {
  const end = head.indexOf(LF);
  return { line: head.subarray(0, trimEnd(head, 0, end)), headers: parseHeaders(head, end + 1) };
}

/** Reads header lines up to the empty one. */
function parseHeaders(head: Buffer, from: number): RawHeader[] {
  const headers: RawHeader[] = [];
  /** The lines in which the value of the last header goes on: they begin with a blank. */
  const more: Buffer[] = [];
  for (let at = from; at < head.length; ) {
    const next = head.indexOf(LF, at) + 1;
    const end = trimEnd(head, at, next - 1);
    if (end > at && isBlank(head[at]) && headers.length > 0)
      more.push(FOLD, head.subarray(trimStart(head, at, end), end));
    else if (end > at) {
      unfold(headers, more);
      headers.push(parseHeader(head, at, end));
    }
    if (headers.length > MAX_HEADERS) throw new HttpError(`more than ${MAX_HEADERS} headers`);
    at = next;
  }
  unfold(headers, more);
  return headers;
}

const FOLD = Buffer.from('\r\n ');

function unfold(headers: RawHeader[], more: Buffer[]): void {
  const last = headers.at(-1);
  if (last && more.length > 0) last[1] = Buffer.concat([last[1], ...more.splice(0)]);
}

function parseHeader(head: Buffer, at: number, end: number): RawHeader {
  const colon = head.indexOf(COLON, at);
  if (colon <= at || colon >= end || isBlank(head[at]))
    throw new HttpError(`Invalid header line: ${quote(head.subarray(at, end))}`);
  return [head.subarray(at, colon), head.subarray(trimStart(head, colon + 1, end), end)];
}

function isBlank(code: number | undefined): boolean {
  return code === SPACE || code === TAB;
}

function trimStart(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isBlank(bytes[at])) at++;
  return at;
}

function trimEnd(bytes: Buffer, start: number, end: number): number {
  let at = end;
  while (at > start && (isBlank(bytes[at - 1]) || bytes[at - 1] === CR)) at--;
  return at;
}

const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;
const [HTTP, NONE, SLASH] = [Buffer.from('http'), Buffer.alloc(0), Buffer.from('/')];

/**
 * Reads a request line. A target may have spaces in it.
 * @throws HttpError when it is none of HTTP/1.
 */
export function parseRequestLine(line: Buffer): { method: Buffer; target: Buffer; httpVersion: Buffer } {
  const [first, last] = [line.indexOf(SPACE), line.lastIndexOf(SPACE)];
  const method = line.subarray(0, Math.max(first, 0));
  const httpVersion = line.subarray(last + 1);
  const target = line.subarray(trimStart(line, first, last), trimEnd(line, first, last));
  const isHttp =
    target.length > 0 &&
    method.length < MAX_METHOD &&
    TOKEN.test(method.toString('latin1')) &&
    /^HTTP\/1\.\d$/.test(httpVersion.toString('latin1', 0, 10));
  if (!isHttp) throw new HttpError(`Bad HTTP request line: ${quote(line)}`);
  return { method, target, httpVersion };
}

const MAX_METHOD = 100;

/** The forms of a target, https://www.rfc-editor.org/rfc/rfc9112#section-3.2. */
function parseTarget(method: Buffer, target: Buffer): { scheme: Buffer; authority: Buffer; path: Buffer } {
  if (method.equals(CONNECT)) return { scheme: NONE, authority: target, path: NONE };
  if (target[0] === SLASH[0]) return { scheme: HTTP, authority: NONE, path: target };
  const [, scheme, authority = ''] =
    /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(target.toString('latin1', 0, MAX_AUTHORITY)) ?? [];
  if (scheme === undefined) return { scheme: HTTP, authority: NONE, path: target };
  const start = scheme.length + '://'.length;
  const path = target.subarray(start + authority.length);
  return {
    scheme: target.subarray(0, scheme.length),
    authority: target.subarray(start, start + authority.length),
    path: path[0] === SLASH[0] ? path : Buffer.concat([SLASH, path]),
  };
}

const CONNECT = Buffer.from('CONNECT');
const MAX_AUTHORITY = 4096;

/** Bytes in a message for people: not all of them, and nothing that moves a cursor. */
export function quote(bytes: Buffer): string {
  const text = JSON.stringify(bytes.toString('latin1', 0, 100)).replace(/[\x7f-\x9f]/g, '?');
  return bytes.length > 100 ? `${text}…` : text;
}
