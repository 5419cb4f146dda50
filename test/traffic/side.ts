import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Move, Who } from './case.ts';
import { within } from './within.ts';

/** So much of what was got is kept as text, for people who look at a difference. */
const SHOWN_BYTES = 4096;

/** What one end of a connection has got. */
export interface Got {
  bytes: number;
  sha256: string;
  /** The beginning, in Latin-1. */
  text: string;
  end: 'fin' | 'reset' | 'none';
  /** The address of the other end of the connection. */
  peer: string;
}

/** One end of a connection, which keeps all that it gets. */
export class Side {
  readonly #socket: Socket;
  readonly #peer: string;
  readonly #pieces: Buffer[] = [];
  #bytes = 0;
  #end: Got['end'] = 'none';
  #changed: () => void = () => undefined;

  /** @param socket one that allows halves to be closed. */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.#peer = socket.remoteAddress ?? '';
    socket.setNoDelay(true);
    socket.on('data', (piece: Buffer) => {
      this.#pieces.push(piece);
      this.#bytes += piece.length;
      this.#changed();
    });
    socket.on('end', () => this.#ends('fin'));
    socket.on('error', () => this.#ends('reset'));
  }

  #ends(how: Got['end']): void {
    if (this.#end === 'none') this.#end = how;
    this.#changed();
  }

  /** Does its part of a move. */
  perform(who: Who, move: Move): void {
    const socket = this.#socket;
    if (typeof move === 'object') {
      const bytes = sentBy(who, move);
      if (bytes.length > 0 && !socket.destroyed) socket.write(bytes);
    } else if (move === `${who} ends`) socket.end();
    else if (move === `${who} resets`) socket.resetAndDestroy();
    else if (move === `${who} closes`) socket.destroy();
    else if (move === `${who} pauses`) socket.pause();
    else if (move === `${who} reads`) socket.resume();
  }

  /**
   * Waits until it has so many bytes, or the end that is due.
   * @returns whether it has, within the time.
   */
  async sees(bytes: number, end: boolean, limitMs: number): Promise<boolean> {
    const isHere = new Promise<void>((resolve) => {
      this.#changed = () => {
        if (this.#end !== 'none' || (this.#bytes >= bytes && !end)) resolve();
      };
    });
    this.#changed();
    return await within(limitMs, isHere);
  }

  /** What it has got; the socket is given up. */
  close(): Got {
    const all = Buffer.concat(this.#pieces);
    const got = {
      bytes: all.length,
      sha256: createHash('sha256').update(all).digest('hex'),
      text: all.toString('latin1', 0, SHOWN_BYTES),
      end: this.#end,
      peer: this.#peer,
    };
    this.#socket.destroy();
    return got;
  }
}

/** What a side sends by a move. */
export function sentBy(who: Who, move: Move): Buffer {
  if (typeof move !== 'object' || 'silence' in move) return Buffer.alloc(0);
  const { c = '', s = '' } = move as { c?: string | Buffer; s?: string | Buffer };
  const bytes = who === 'client' ? c : s;
  return typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
}
