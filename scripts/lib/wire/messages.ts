import type { Value } from '../flow/tnetstring.ts';
import type { Account } from './budget.ts';

/** What is kept of one connection's messages, in bytes: the last of them, as the addon does. */
const MAX_BYTES = 64 * 1024 * 1024;
/** What a message takes beside its content. */
const MESSAGE_COST = 300;

/** The messages of a TCP connection or a WebSocket, of which the last are kept. */
export class Messages {
  readonly #account: Account;
  #kept: { state: Value[]; cost: number }[] = [];
  #first = 0;

  /** How many bytes of memory they take. */
  cost = 0;
  /** Whether earlier ones were left out. */
  areCut = false;

  constructor(account: Account) {
    this.#account = account;
  }

  get length(): number {
    return this.#kept.length - this.#first;
  }

  /** @param state the message as a flow's state has it. @param bytes how many its content has. */
  add(state: Value[], bytes: number): void {
    const cost = bytes + MESSAGE_COST;
    while (this.length > 0 && (this.cost + cost > MAX_BYTES || !this.#account.hasRoom(cost))) this.#drop();
    if (!this.#account.hasRoom(cost)) {
      this.areCut = true;
      return;
    }
    this.#kept.push({ state, cost });
    this.#charge(cost);
  }

  #drop(): void {
    this.areCut = true;
    this.#charge(-(this.#kept[this.#first] as { cost: number }).cost);
    this.#first++;
    if (this.#first * 2 < this.#kept.length) return;
    this.#kept = this.#kept.slice(this.#first);
    this.#first = 0;
  }

  #charge(bytes: number): void {
    this.cost += bytes;
    this.#account.charge(bytes);
  }

  /** The messages that are kept, as a flow's state has them. */
  toState(): Value[] {
    return this.#kept.slice(this.#first).map(({ state }) => state);
  }
}

/** What a flow's comment says when earlier messages are not kept: the same that the addon says. */
export const CUT_MESSAGES = 'mittens: only its last messages';
