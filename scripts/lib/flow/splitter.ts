import { findExtent, TnetstringError } from './tnetstring.ts';

/** The longest flow that is taken: a forged length would fill the memory. A pod's proxy has no more of it. */
const MAX_FLOW_BYTES = 512 * 1024 * 1024;

/** Cuts bytes that come in chunks of any length into whole tnetstrings. */
export class Splitter {
  #held: Buffer[] = [];
  #wanted = 1;

  /** How many bytes the whole ones had that were given. */
  passed = 0;
  /** How many bytes there are of one that is not whole yet. */
  holding = 0;

  /**
   * Takes a chunk and gives the tnetstrings that are whole with it.
   * @throws TnetstringError when the bytes are something else; its offset counts from `passed`.
   */
  *push(chunk: Buffer): Generator<Buffer> {
    this.#held.push(chunk);
    this.holding += chunk.length;
    // A long one is put together once, when all of it is there.
    if (this.holding < this.#wanted) return;
    let rest = this.#held.length === 1 ? chunk : Buffer.concat(this.#held);
    for (;;) {
      this.#held = [rest];
      this.holding = rest.length;
      this.#wanted = findLength(rest);
      if (this.#wanted > rest.length) return;
      const whole = rest.subarray(0, this.#wanted);
      rest = rest.subarray(this.#wanted);
      this.passed += whole.length;
      yield whole;
    }
  }

  /** Forgets what is not whole: it will come again. */
  reset(): void {
    this.#held = [];
    this.holding = 0;
    this.#wanted = 1;
  }
}

/** The length of the first tnetstring; one more than there is when not even its prefix is whole. */
function findLength(buffer: Buffer): number {
  const extent = findExtent(buffer, 0);
  if (!extent) return buffer.length + 1;
  const length = extent.end + 1;
  if (length > MAX_FLOW_BYTES) throw new TnetstringError('a length beyond any flow', 0);
  return length;
}
