import { Body } from './body.ts';
import type { Account } from './budget.ts';
import { Unread } from './unread.ts';

/** What is not a WebSocket frame, in words. */
export class FrameError extends Error {}

/** Opcodes, https://www.rfc-editor.org/rfc/rfc6455#section-5.2: those up to BINARY are of messages. */
const [CONTINUATION, TEXT] = [0, 1];
export const [BINARY, CLOSE] = [2, 8];
const [PING, PONG] = [9, 10];
const OPCODES = [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG];
const MAX_CONTROL_BYTES = 125;

/** A message that one side sent, put together from its frames. */
export interface SocketMessage {
  opcode: number;
  body: Body;
  /** The bits that extensions use, of its first frame: RSV1 is 4. */
  reserved: number;
}

interface FrameHead {
  /** How many bytes the head has. */
  size: number;
  isFinal: boolean;
  opcode: number;
  reserved: number;
  mask: Buffer | undefined;
  /** How many bytes the payload has. */
  length: number;
}

/** Reads the frames that one side of a WebSocket sends, in pieces of any length. */
export class WebSocketReader {
  readonly #account: Account;
  readonly #unread: Unread;
  readonly #give: (message: SocketMessage, time: number) => void;
  /** The frame whose payload is being read, and how much of it was. */
  #frame: FrameHead | undefined;
  #read = 0;
  /** The message that the next continuation belongs to. */
  #message: SocketMessage | undefined;
  /** The control frame that is being read: it may stand within a message. */
  #control: SocketMessage | undefined;

  constructor(account: Account, give: (message: SocketMessage, time: number) => void) {
    this.#account = account;
    this.#unread = new Unread(account);
    this.#give = give;
  }

  /** Reads a piece. @throws FrameError for what is not a frame; `takeUnread` has it. */
  push(piece: Buffer, time: number): void {
    const bytes = this.#unread.add(piece);
    let at = 0;
    try {
      for (let used = -1; used !== 0 && at < bytes.length; at += used)
        used = this.#frame
          ? this.#readPayload(bytes.subarray(at), time)
          : this.#readHead(bytes.subarray(at), time);
    } finally {
      this.#unread.keep(bytes.subarray(at));
    }
  }

  takeUnread(): Buffer {
    return this.#unread.take();
  }

  /** Whether a message has begun that has not ended. */
  get isWithinMessage(): boolean {
    return this.#message !== undefined;
  }

  #readHead(bytes: Buffer, time: number): number {
    const head = parseHead(bytes);
    if (!head) return 0;
    if (head.opcode >= CLOSE) this.#control = this.#begin(head);
    else if (head.opcode !== CONTINUATION) {
      if (this.#message) throw new FrameError('a message begins within another');
      this.#message = this.#begin(head);
    } else if (!this.#message) throw new FrameError('a continuation of no message');
    this.#frame = head;
    this.#read = 0;
    if (head.length === 0) this.#endFrame(head, time);
    return head.size;
  }

  #begin({ opcode, reserved }: FrameHead): SocketMessage {
    return { opcode, reserved, body: new Body(this.#account) };
  }

  #readPayload(bytes: Buffer, time: number): number {
    const frame = this.#frame as FrameHead;
    const piece = bytes.subarray(0, frame.length - this.#read);
    const message = this.#control ?? (this.#message as SocketMessage);
    message.body.add(frame.mask ? unmask(piece, frame.mask, this.#read) : piece);
    this.#read += piece.length;
    if (this.#read === frame.length) this.#endFrame(frame, time);
    return piece.length;
  }

  #endFrame({ isFinal }: FrameHead, time: number): void {
    this.#frame = undefined;
    const message = this.#control ?? (this.#message as SocketMessage);
    if (!this.#control && !isFinal) return;
    if (this.#control) this.#control = undefined;
    else this.#message = undefined;
    this.#give(message, time);
  }
}

/** @returns undefined when the head is not whole. */
function parseHead(bytes: Buffer): FrameHead | undefined {
  const [first = 0, second = 0] = bytes;
  const short = second & 0x7f;
  const start = short === 127 ? 10 : short === 126 ? 4 : 2;
  const isMasked = (second & 0x80) !== 0;
  const size = start + (isMasked ? 4 : 0);
  if (bytes.length < 2 || bytes.length < size) return undefined;
  const length =
    short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
  const head = {
    size,
    isFinal: (first & 0x80) !== 0,
    opcode: first & 0x0f,
    reserved: (first >> 4) & 7,
    mask: isMasked ? Buffer.from(bytes.subarray(start, size)) : undefined,
    length,
  };
  if (!OPCODES.includes(head.opcode)) throw new FrameError(`unknown opcode ${head.opcode}`);
  if (length > Number.MAX_SAFE_INTEGER) throw new FrameError(`a frame of ${length} bytes`);
  if (head.opcode >= CLOSE && (length > MAX_CONTROL_BYTES || !head.isFinal))
    throw new FrameError('a control frame that is too long or in parts');
  return head;
}

/** @param offset of the first byte in the frame's payload. */
function unmask(bytes: Buffer, mask: Buffer, offset: number): Buffer {
  const plain = Buffer.allocUnsafe(bytes.length);
  for (let at = 0; at < bytes.length; at++)
    plain[at] = (bytes[at] as number) ^ (mask[(offset + at) & 3] as number);
  return plain;
}
