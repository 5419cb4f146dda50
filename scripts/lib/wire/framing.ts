import type { Body } from './body.ts';
import { ChunkedReader } from './chunked.ts';
import { HttpError, type RawHeader, type RequestHead, type ResponseHead } from './head.ts';

/** Reads a body: it takes the bytes that belong to it. */
export interface BodyReader {
  /** What a message says whose connection ends here; undefined when that is how it ends. */
  readonly cutMessage: string | undefined;
  /** Reads a part of it. @returns how many of the bytes were read: none when it needs more. */
  read(bytes: Buffer): number;
  readonly isDone: boolean;
  readonly trailers: RawHeader[] | undefined;
}

/**
 * How a request's body is to be read, https://www.rfc-editor.org/rfc/rfc9112#section-6.3.
 * @returns undefined when it has none.
 * @throws HttpError when that can't be known.
 */
export function findRequestBody({ headers }: RequestHead, body: Body): BodyReader | undefined {
  const coding = findCoding(headers);
  if (coding === 'chunked') return new ChunkedReader(body);
  if (coding !== undefined) throw new HttpError('the transfer coding of a request is not chunked');
  const length = findLength(headers);
  return length ? new LengthReader(body, length) : undefined;
}

/** How a response's body is to be read. @returns undefined when it has none. @throws HttpError as for a request. */
export function findResponseBody(
  method: Buffer,
  { status, headers }: ResponseHead,
  body: Body,
): BodyReader | undefined {
  const verb = method.toString('latin1').toUpperCase();
  if (verb === 'HEAD' || status < 200 || status === 204 || status === 304) return undefined;
  if (verb === 'CONNECT' && status < 300) return undefined;
  const coding = findCoding(headers);
  if (coding !== undefined) return coding === 'chunked' ? new ChunkedReader(body) : new RestReader(body);
  const length = findLength(headers);
  if (length === undefined) return new RestReader(body);
  return length === 0 ? undefined : new LengthReader(body, length);
}

/** The values of a header, in lower case and cut at commas. @param name in lower case. */
export function findTokens(headers: RawHeader[], name: string): string[] {
  let values: string | undefined;
  for (const [key, value] of headers) {
    if (key.length !== name.length || key.toString('latin1').toLowerCase() !== name) continue;
    const text = value.toString('latin1').toLowerCase();
    values = values === undefined ? text : `${values},${text}`;
  }
  return values === undefined ? NONE : values.split(',').map((token) => token.trim());
}

const NONE: string[] = [];

/** The last transfer coding. `identity` was one once, and meant none. */
function findCoding(headers: RawHeader[]): string | undefined {
  const codings = findTokens(headers, 'transfer-encoding').filter(
    (coding) => coding !== 'identity' && coding !== '',
  );
  return codings.at(-1);
}

function findLength(headers: RawHeader[]): number | undefined {
  const lengths = new Set(findTokens(headers, 'content-length'));
  if (lengths.size === 0) return undefined;
  const [length = ''] = lengths;
  if (lengths.size > 1 || !/^\d{1,15}$/.test(length)) throw new HttpError('invalid content-length header');
  return Number(length);
}

/** A body with a Content-Length. */
class LengthReader implements BodyReader {
  readonly #body: Body;
  readonly #length: number;
  #left: number;
  readonly trailers = undefined;

  constructor(body: Body, length: number) {
    this.#body = body;
    this.#length = length;
    this.#left = length;
  }

  get isDone(): boolean {
    return this.#left === 0;
  }

  get cutMessage(): string {
    const received = this.#length - this.#left;
    return `${CUT} (received ${received} bytes, expected ${this.#length})`;
  }

  read(bytes: Buffer): number {
    const piece = bytes.subarray(0, this.#left);
    this.#body.add(piece);
    this.#left -= piece.length;
    return piece.length;
  }
}

/** What mitmproxy says of it. */
const CUT = 'HTTP/1 protocol error: peer closed connection without sending complete message body';

/** A body that ends with the connection. */
class RestReader implements BodyReader {
  readonly #body: Body;
  readonly isDone = false;
  readonly cutMessage = undefined;
  readonly trailers = undefined;

  constructor(body: Body) {
    this.#body = body;
  }

  read(bytes: Buffer): number {
    this.#body.add(bytes);
    return bytes.length;
  }
}
