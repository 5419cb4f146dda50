import { Unread } from './unread.ts';

/**
 * The types of frames: a file begins (H), a connection opens (O), bytes of the client (C) and of the app (S), the end of
 * either half (c, s), a reset by either (r, R), the end of a connection (X), missing bytes (G), the end of the file (Z).
 */
type FrameType = 'H' | 'O' | 'C' | 'S' | 'c' | 's' | 'r' | 'R' | 'X' | 'G' | 'Z';

/** A frame of a wire file. Bytes of the payload are a view that is valid until the next chunk is pushed. */
export interface Frame {
  type: FrameType;
  connection: number;
  /** Seconds since 1970. */
  time: number;
  payload: Buffer;
  /** Where it begins in the file. */
  offset: number;
}

/** What is not a wire file, in words; `offset` is the byte of the file where it stops to be one. */
export class WireError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Type, connection, microseconds, length: Python's struct `>cIQI`. */
const HEAD_BYTES = 17;
/** The door writes no longer payload; a longer one is damage. */
const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;
const TYPES = new Map([...'HOCScsrRXGZ'].map((type) => [type.charCodeAt(0), type as FrameType]));

/** Cuts a wire file that comes in chunks of any length into frames. */
export class FrameReader {
  readonly #unread = new Unread();

  /** How many bytes of the file the whole frames had that were given. */
  passed = 0;

  /** How many bytes there are of a frame that is not whole. */
  get holding(): number {
    return this.#unread.length;
  }

  /**
   * Takes a chunk and gives the frames that are whole with it.
   * @throws WireError for bytes that are not a frame.
   */
  *push(chunk: Buffer): Generator<Frame> {
    const bytes = this.#unread.add(chunk);
    let at = 0;
    try {
      for (;;) {
        const frame = parseFrame(bytes, at, this.passed);
        if (!frame) return;
        const length = HEAD_BYTES + frame.payload.length;
        at += length;
        this.passed += length;
        yield frame;
      }
    } finally {
      this.#unread.keep(bytes.subarray(at));
    }
  }
}

/** @returns undefined when the frame is not whole. */
function parseFrame(bytes: Buffer, at: number, offset: number): Frame | undefined {
  if (at >= bytes.length) return undefined;
  const type = TYPES.get(bytes[at] as number);
  if (!type) throw new WireError('no frame begins here', offset);
  const start = at + HEAD_BYTES;
  if (start > bytes.length) return undefined;
  const length = bytes.readUInt32BE(at + 13);
  if (length > MAX_PAYLOAD_BYTES) throw new WireError(`a frame of ${length} bytes`, offset);
  if (start + length > bytes.length) return undefined;
  return {
    type,
    connection: bytes.readUInt32BE(at + 1),
    time: (bytes.readUInt32BE(at + 5) * 2 ** 32 + bytes.readUInt32BE(at + 9)) / 1e6,
    payload: bytes.subarray(start, start + length),
    offset,
  };
}
