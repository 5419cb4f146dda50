import type { Account } from './budget.ts';

const EMPTY = Buffer.alloc(0);

/** Bytes that grow at their end, in a store that doubles; what it takes is charged to an account. */
export class Bytes {
  readonly #account: Account | undefined;
  #store = EMPTY;
  #length = 0;

  constructor(account?: Account) {
    this.#account = account;
  }

  get length(): number {
    return this.#length;
  }

  /** How many bytes of memory they take. */
  get cost(): number {
    return this.#store.length;
  }

  add(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (length > this.#store.length)
      this.#grow(this.#length === 0 ? length : Math.max(length, 2 * this.#length));
    piece.copy(this.#store, this.#length);
    this.#length = length;
  }

  #grow(size: number): void {
    const store = Buffer.allocUnsafe(size);
    this.#store.copy(store, 0, 0, this.#length);
    this.#account?.charge(size - this.#store.length);
    this.#store = store;
  }

  /** A view of all bytes; more may be added behind it, and it keeps what it shows until `clear`. */
  view(): Buffer {
    return this.#store.subarray(0, this.#length);
  }

  clear(): void {
    this.#account?.charge(-this.#store.length);
    this.#store = EMPTY;
    this.#length = 0;
  }
}
