/** What bodies and messages that are open may take in memory, in bytes; beyond it they are cut. */
const CONTENT_BYTES = 192 * 1024 * 1024;
/** What everything may take that is open: beyond it connections are given up. */
const ALL_BYTES = 256 * 1024 * 1024;

/** What all open connections of a wire file take in memory: it grows with them, and never beyond a bound. */
export class Budget {
  used = 0;
}

/** The part of a budget that one connection uses. */
export class Account {
  readonly #budget: Budget;
  #used = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** @param bytes negative when memory is given back. */
  charge(bytes: number): void {
    this.#used += bytes;
    this.#budget.used += bytes;
  }

  /** Whether so many bytes of a body or message may be kept. */
  hasRoom(bytes: number): boolean {
    return this.#budget.used + bytes <= CONTENT_BYTES;
  }

  /** Whether more is open than is kept. */
  get isExceeded(): boolean {
    return this.#budget.used > ALL_BYTES;
  }

  /** Gives everything back. */
  settle(): void {
    this.charge(-this.#used);
  }
}
