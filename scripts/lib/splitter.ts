import { extentAt, TnetstringError } from './tnetstring.ts';

/** The longest flow that is taken: a forged length would fill the memory. A pod's proxy has no more of it. */
const MAX_FLOW_BYTES = 512 * 1024 * 1024;

/** Cuts bytes that come in chunks of any length into whole tnetstrings. */
export class Splitter {
  #held: Buffer[] = [];
  #holding = 0;
  #wanted = 1;

  /** How many bytes the whole ones had. */
  passed = 0;

  /**
   * Takes a chunk and returns the tnetstrings that are whole with it.
   * @throws TnetstringError when the bytes are something else.
   */
  push(chunk: Buffer): Buffer[] {
    this.#held.push(chunk);
    this.#holding += chunk.length;
    // A long one is put together once, when all of it is there.
    if (this.#holding < this.#wanted) return [];
    const buffer = this.#held.length === 1 ? chunk : Buffer.concat(this.#held);
    const whole: Buffer[] = [];
    let at = 0;
    for (;;) {
      this.#wanted = lengthAt(buffer, at);
      if (at + this.#wanted > buffer.length) break;
      whole.push(buffer.subarray(at, at + this.#wanted));
      at += this.#wanted;
    }
    this.passed += at;
    this.#held = at < buffer.length ? [buffer.subarray(at)] : [];
    this.#holding = buffer.length - at;
    return whole;
  }

  /** Forgets what is not whole: it will come again. */
  reset(): void {
    this.#held = [];
    this.#holding = 0;
    this.#wanted = 1;
  }
}

/** The length of the tnetstring at `at`; one more than there is when not even its prefix is whole. */
function lengthAt(buffer: Buffer, at: number): number {
  const extent = extentAt(buffer, at);
  if (!extent) return buffer.length - at + 1;
  const length = extent.end + 1 - at;
  if (length > MAX_FLOW_BYTES) throw new TnetstringError('a length beyond any flow', at);
  return length;
}
