import type { Dict } from '../flow/tnetstring.ts';
import { buildState, type Failure } from './flow-state.ts';
import { CUT_MESSAGES, Messages } from './messages.ts';
import type { Ending, FlowSource, Host, Protocol } from './protocol.ts';
import type { Side } from './side.ts';

/** A connection whose bytes are shown as they are. */
export class Tcp implements Protocol, FlowSource {
  readonly canResume = false;
  readonly #host: Host;
  readonly #notes: string[];
  readonly #messages: Messages;
  #created: number | undefined;
  #error: Failure | undefined;

  /** @param note why its bytes are not read, for the flow's comment. */
  constructor(host: Host, note?: string) {
    this.#host = host;
    this.#notes = note === undefined ? [] : [note];
    this.#messages = new Messages(host.account);
  }

  get cost(): number {
    return this.#messages.cost;
  }

  push(side: Side, bytes: Buffer, time: number): void {
    if (bytes.length === 0) return;
    this.#created ??= time;
    this.#messages.add([side === 'client', Buffer.from(bytes), time], bytes.length);
  }

  end(): void {}

  /** A connection that was opened and closed, as probes do, is not a flow. */
  close({ by, isReset, message, time }: Ending): void {
    if (isReset) this.#error = { message, time };
    else if (!by) this.#notes.push(`mittens: ${message}`);
    if (this.#created !== undefined || this.#error) this.#host.emit(this);
  }

  /** What follows is read again. */
  leave(): void {
    if (this.#created !== undefined) this.#host.emit(this);
  }

  toState(): Dict {
    const { link } = this.#host;
    const notes = this.#messages.areCut ? [...this.#notes, CUT_MESSAGES] : this.#notes;
    const facts = { created: this.#created ?? link.ends.start, error: this.#error, notes };
    return buildState('tcp', link, facts).set('messages', this.#messages.toState());
  }
}
