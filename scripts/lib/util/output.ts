import { once } from 'node:events';
import type { Writable } from 'node:stream';

const CHUNK_BYTES = 64 * 1024;

/** Collects small pieces and writes them in large ones, no faster than the stream accepts them. */
export class Output {
  readonly #stream: Writable;
  #pieces: (string | Buffer)[] = [];
  #size = 0;
  #error: Error | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    // A pipe whose reader has ended still says that it takes more.
    stream.once('error', (error: Error) => {
      this.#error = error;
    });
  }

  /** Bound, so that it can be passed as a function. */
  readonly write = async (piece: string | Buffer): Promise<void> => {
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size >= CHUNK_BYTES) await this.flush();
  };

  /** @throws the stream's error, once it has one. */
  async flush(): Promise<void> {
    if (this.#error) throw this.#error;
    const text = this.#pieces.every((piece) => typeof piece === 'string');
    const chunk = text
      ? this.#pieces.join('')
      : Buffer.concat(this.#pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
    this.#pieces = [];
    this.#size = 0;
    if (chunk.length > 0 && !this.#stream.write(chunk)) await once(this.#stream, 'drain');
  }
}
