import type { Account } from './budget.ts';
import { Bytes } from './bytes.ts';

/**
 * Bytes that came and could not be read yet, in one piece. While everything is read at once nothing is copied, and bytes
 * that come one by one are copied a few times each, however many wait.
 */
export class Unread {
  readonly #bytes: Bytes;

  constructor(account?: Account) {
    this.#bytes = new Bytes(account);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** Adds a piece. @returns all that is unread: a view that is valid until `keep` is told what is left of it. */
  add(piece: Buffer): Buffer {
    if (this.#bytes.length === 0) return piece;
    this.#bytes.add(piece);
    return this.#bytes.view();
  }

  /** Keeps what could not be read of what `add` gave: its end. */
  keep(rest: Buffer): void {
    if (rest.length === this.#bytes.length) return;
    const copy = rest.length > 0 ? Buffer.from(rest) : rest;
    this.#bytes.clear();
    if (copy.length > 0) this.#bytes.add(copy);
  }

  view(): Buffer {
    return this.#bytes.view();
  }

  /** Gives all that is unread, and forgets it. */
  take(): Buffer {
    const bytes = Buffer.from(this.#bytes.view());
    this.#bytes.clear();
    return bytes;
  }
}
