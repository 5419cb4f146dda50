import type { Account } from './budget.ts';
import { Bytes } from './bytes.ts';
import { Unread } from './unread.ts';

/** What is not HTTP/2, in words. */
export class Http2Error extends Error {}

/** What a client begins with, https://www.rfc-editor.org/rfc/rfc9113#section-3.4. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

const HEAD_BYTES = 9;
/** The longest block of headers that is read. */
const MAX_BLOCK_BYTES = 1024 * 1024;

/** Types of frames, https://www.rfc-editor.org/rfc/rfc9113#section-6. */
const [DATA, HEADERS, RST_STREAM, SETTINGS, PUSH_PROMISE, GOAWAY, CONTINUATION] = [0, 1, 3, 4, 5, 7, 9];
const READ = [HEADERS, RST_STREAM, PUSH_PROMISE, GOAWAY, CONTINUATION];
const [END_STREAM, END_HEADERS, PADDED, PRIORITY] = [1, 4, 8, 32];

/** Who is told what one side sends. */
export interface Http2Listener {
  /** @param block is HPACK. @param promised the stream that is pushed, if it is. */
  onHeaders(stream: number, block: Buffer, ends: boolean, promised: number | undefined): void;
  onData(stream: number, bytes: Buffer, ends: boolean): void;
  onReset(stream: number, code: number): void;
  onGoAway(code: number): void;
}

interface Block {
  stream: number;
  ends: boolean;
  promised: number | undefined;
  bytes: Bytes;
}

/** Reads the frames that one side of an HTTP/2 connection sends, in pieces of any length. */
export class Http2Reader {
  readonly #account: Account;
  readonly #listener: Http2Listener;
  readonly #unread: Unread;
  /** Bytes of the preface that have not come. */
  #preface: number;
  #isFirst = true;
  /** The rest of a DATA frame, and bytes after it or of another frame that are not looked at. */
  #data: { stream: number; left: number; ends: boolean } | undefined;
  #skip = 0;
  /** Headers that go on in the next frame. */
  #block: Block | undefined;

  constructor(account: Account, listener: Http2Listener, { hasPreface }: { hasPreface: boolean }) {
    this.#account = account;
    this.#listener = listener;
    this.#unread = new Unread(account);
    this.#preface = hasPreface ? PREFACE.length : 0;
  }

  /** Reads a piece. @throws Http2Error for what is not HTTP/2; `takeUnread` has it. */
  push(piece: Buffer): void {
    const bytes = this.#unread.add(piece);
    let at = 0;
    try {
      for (let used = -1; used !== 0 && at < bytes.length; at += used) used = this.#step(bytes.subarray(at));
    } finally {
      this.#unread.keep(bytes.subarray(at));
    }
  }

  takeUnread(): Buffer {
    return this.#unread.take();
  }

  /** @returns how many of the bytes it has read: none when it needs more. */
  #step(bytes: Buffer): number {
    if (this.#preface > 0) return this.#readPreface(bytes);
    if (this.#data) return this.#readData(this.#data, bytes);
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, bytes.length);
      this.#skip -= skipped;
      return skipped;
    }
    return bytes.length < HEAD_BYTES ? 0 : this.#readFrame(bytes);
  }

  #readPreface(bytes: Buffer): number {
    const piece = bytes.subarray(0, this.#preface);
    const expected = PREFACE.subarray(PREFACE.length - this.#preface).subarray(0, piece.length);
    if (!piece.equals(expected)) throw new Http2Error('the client does not begin with the preface of HTTP/2');
    this.#preface -= piece.length;
    return piece.length;
  }

  #readFrame(bytes: Buffer): number {
    const [length, type, flags] = [bytes.readUIntBE(0, 3), bytes[3] as number, bytes[4] as number];
    const stream = bytes.readUInt32BE(5) & 0x7fffffff;
    if (this.#isFirst && type !== SETTINGS) throw new Http2Error('the first frame is not SETTINGS');
    if (this.#block && type !== CONTINUATION) throw new Http2Error('headers do not go on as they should');
    if (type === DATA) return this.#beginData(bytes, length, flags, stream);
    this.#isFirst = false;
    if (!READ.includes(type)) {
      this.#skip = length;
      return HEAD_BYTES;
    }
    if (length > MAX_BLOCK_BYTES) throw new Http2Error(`a frame of ${length} bytes`);
    const end = HEAD_BYTES + length;
    if (bytes.length < end) return 0;
    this.#takeFrame(type, flags, stream, bytes.subarray(HEAD_BYTES, end));
    return end;
  }

  #takeFrame(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type === RST_STREAM) this.#listener.onReset(stream, readCode(payload, 0));
    else if (type === GOAWAY) this.#listener.onGoAway(readCode(payload, 4));
    else this.#takeHeaders(type, flags, stream, payload);
  }

  #takeHeaders(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type === CONTINUATION) {
      if (this.#block?.stream !== stream) throw new Http2Error('headers go on that have not begun');
      this.#block.bytes.add(payload);
    } else this.#block = this.#beginBlock(type, flags, stream, payload);
    const { ends, promised, bytes } = this.#block;
    if (bytes.length > MAX_BLOCK_BYTES) throw new Http2Error(`more than ${MAX_BLOCK_BYTES} bytes of headers`);
    if ((flags & END_HEADERS) === 0) return;
    this.#block = undefined;
    this.#listener.onHeaders(stream, bytes.view(), ends, promised);
    bytes.clear();
  }

  #beginBlock(type: number, flags: number, stream: number, payload: Buffer): Block {
    const isPadded = (flags & PADDED) !== 0;
    const isPush = type === PUSH_PROMISE;
    const start = (isPadded ? 1 : 0) + (isPush ? 4 : (flags & PRIORITY) !== 0 ? 5 : 0);
    const end = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
    if (start > end) throw new Http2Error('a frame of headers that is too short');
    const bytes = new Bytes(this.#account);
    bytes.add(payload.subarray(start, end));
    const promised = isPush ? payload.readUInt32BE(isPadded ? 1 : 0) & 0x7fffffff : undefined;
    return { stream, ends: !isPush && (flags & END_STREAM) !== 0, promised, bytes };
  }

  #beginData(bytes: Buffer, length: number, flags: number, stream: number): number {
    const isPadded = (flags & PADDED) !== 0;
    const size = HEAD_BYTES + (isPadded ? 1 : 0);
    if (bytes.length < size) return 0;
    const padding = isPadded ? (bytes[HEAD_BYTES] as number) : 0;
    const left = length - (isPadded ? 1 : 0) - padding;
    if (left < 0) throw new Http2Error('more padding than a frame has');
    this.#skip = padding;
    this.#data = { stream, left, ends: (flags & END_STREAM) !== 0 };
    if (left === 0) this.#readData(this.#data, EMPTY);
    return size;
  }

  #readData(data: { stream: number; left: number; ends: boolean }, bytes: Buffer): number {
    const piece = bytes.subarray(0, data.left);
    data.left -= piece.length;
    if (data.left === 0) this.#data = undefined;
    this.#listener.onData(data.stream, piece, data.ends && data.left === 0);
    return piece.length;
  }
}

const EMPTY = Buffer.alloc(0);

function readCode(payload: Buffer, at: number): number {
  if (payload.length < at + 4) throw new Http2Error('a frame that is too short for its code');
  return payload.readUInt32BE(at);
}
