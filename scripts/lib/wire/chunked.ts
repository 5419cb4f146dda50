import type { Body } from './body.ts';
import { HeadScanner, HttpError, parseTrailers, quote, type RawHeader } from './head.ts';

const [LF, CR] = [10, 13];
/** A chunk's size with its extensions: longer lines are not looked at. */
const MAX_LINE = 16 * 1024;

/** A body in chunks, https://www.rfc-editor.org/rfc/rfc9112#section-7.1. Extensions are left out. */
export class ChunkedReader {
  readonly #body: Body;
  readonly #scanner = new HeadScanner();
  #state: 'size' | 'data' | 'end of data' | 'trailers' | 'done' = 'size';
  /** Of the chunk that is read. */
  #left = 0;
  trailers: RawHeader[] | undefined;
  /** What mitmproxy says of it. */
  readonly cutMessage =
    'HTTP/1 protocol error: peer closed connection without sending complete message body (incomplete chunked read)';

  constructor(body: Body) {
    this.#body = body;
  }

  get isDone(): boolean {
    return this.#state === 'done';
  }

  /** @throws HttpError for what are not chunks. */
  read(bytes: Buffer): number {
    if (this.#state === 'size') return this.#readSize(bytes);
    if (this.#state === 'data') return this.#readData(bytes);
    if (this.#state === 'end of data') return this.#readLineEnd(bytes);
    return this.#readTrailers(bytes);
  }

  #readSize(bytes: Buffer): number {
    const end = bytes.subarray(0, MAX_LINE).indexOf(LF);
    if (end < 0 && bytes.length < MAX_LINE) return 0;
    const [, size] =
      /^([0-9a-f]{1,13})[ \t]*(?:;|\r?$)/i.exec(bytes.toString('latin1', 0, Math.max(end, 0))) ?? [];
    if (size === undefined)
      throw new HttpError(`illegal chunk header: ${quote(bytes.subarray(0, end < 0 ? MAX_LINE : end))}`);
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'data';
    return end + 1;
  }

  #readData(bytes: Buffer): number {
    const piece = bytes.subarray(0, this.#left);
    this.#body.add(piece);
    this.#left -= piece.length;
    if (this.#left === 0) this.#state = 'end of data';
    return piece.length;
  }

  #readLineEnd(bytes: Buffer): number {
    const length = bytes[0] === CR ? 2 : 1;
    if (bytes.length < length) return 0;
    if (bytes[length - 1] !== LF) throw new HttpError('a chunk does not end where its size says');
    this.#state = 'size';
    return length;
  }

  #readTrailers(bytes: Buffer): number {
    if (bytes[0] === CR && bytes.length === 1) return 0;
    const isEmpty = bytes[0] === LF || (bytes[0] === CR && bytes[1] === LF);
    const length = isEmpty ? (bytes[0] === LF ? 1 : 2) : this.#scanner.find(bytes);
    if (length === undefined) return 0;
    if (!isEmpty) this.trailers = parseTrailers(Buffer.from(bytes.subarray(0, length)));
    this.#state = 'done';
    return length;
  }
}
