import { findExtent, TnetstringError } from './tnetstring.ts';

/** The longest flow in bytes; without it a forged length could fill the memory. A pod's proxy has no more memory. */
const MAX_FLOW_BYTES = 512 * 1024 * 1024;

/** Splits chunks of any length into whole tnetstrings. */
export class Splitter {
  #held: Buffer[] = [];
  #wanted = 1;

  /** The bytes of all tnetstrings that were returned. */
  passed = 0;
  /** The bytes of the next tnetstring that have arrived so far. */
  holding = 0;

  /**
   * Adds a chunk and returns the tnetstrings that it completes.
   * @throws TnetstringError for bytes that are not a tnetstring; its offset counts from `passed`.
   */
  *push(chunk: Buffer): Generator<Buffer> {
    this.#held.push(chunk);
    this.holding += chunk.length;
    // The chunks of a long tnetstring are joined once, when all have arrived.
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
}

/** The length of the first tnetstring; one more than the buffer's if its length prefix is incomplete. */
function findLength(buffer: Buffer): number {
  const extent = findExtent(buffer, 0);
  if (!extent) return buffer.length + 1;
  const length = extent.end + 1;
  if (length > MAX_FLOW_BYTES) throw new TnetstringError('the length is more than 512 MiB', 0);
  return length;
}
