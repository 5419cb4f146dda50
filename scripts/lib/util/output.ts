import { once } from 'node:events';
import type { Writable } from 'node:stream';

const CHUNK_BYTES = 64 * 1024;

/** Collects small pieces and writes them in large ones, no faster than the stream accepts them. */
export class Output {
  readonly #stream: Writable;
  #pieces: (string | Buffer)[] = [];
  #size = 0;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Bound, so that it can be passed as a function. */
  readonly write = async (piece: string | Buffer): Promise<void> => {
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size >= CHUNK_BYTES) await this.flush();
  };

  async flush(): Promise<void> {
    const text = this.#pieces.every((piece) => typeof piece === 'string');
    const chunk = text
      ? this.#pieces.join('')
      : Buffer.concat(this.#pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
    this.#pieces = [];
    this.#size = 0;
    if (chunk.length > 0 && !this.#stream.write(chunk)) await once(this.#stream, 'drain');
  }
}
