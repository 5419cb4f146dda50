import { Account, type Budget } from './budget.ts';
import type { Link } from './link.ts';
import { DISCONNECTED, type FlowSource, type Host, type Piece, type Protocol } from './protocol.ts';
import { Resuming } from './resuming.ts';
import type { Side } from './side.ts';
import { Tcp } from './tcp.ts';
import { Undecided } from './undecided.ts';

/** An open connection takes so much in memory, measured and rounded up. */
const CONNECTION_COST = 8 * 1024;
/** Tunnels within tunnels beyond this are shown as bytes. */
const MAX_TUNNELS = 8;

/** One connection of a wire file. */
export class Connection implements Host {
  readonly link: Link;
  readonly account: Account;
  readonly #emit: (source: FlowSource) => void;
  #protocol: Protocol;
  /** Sides that have sent everything. */
  readonly #ended = new Set<Side>();
  /** The side that has ended the connection, and how. */
  #end: { by: Side; isReset: boolean } | undefined;
  #hasGap = false;
  #tunnels = 0;

  constructor(link: Link, budget: Budget, emit: (source: FlowSource) => void) {
    this.link = link;
    this.account = new Account(budget);
    this.account.charge(CONNECTION_COST);
    this.#emit = emit;
    this.#protocol = this.#createFirst();
  }

  #createFirst(): Protocol {
    const { protocol } = this.link.ends.port;
    return protocol === 'tcp' || protocol === 'https' ? new Tcp(this) : new Undecided(this);
  }

  emit(source: FlowSource): void {
    this.account.charge(-source.cost);
    this.#emit(source);
  }

  become(protocol: Protocol, rest: Piece[]): void {
    this.#protocol = protocol;
    // It may give over to yet another.
    for (const { side, bytes, time } of rest) this.#protocol.push(side, bytes, time);
    for (const side of this.#ended) this.#protocol.end(side, rest.at(-1)?.time ?? 0);
  }

  detect(rest: Piece[]): void {
    this.#tunnels++;
    this.become(this.#tunnels > MAX_TUNNELS ? new Tcp(this) : new Undecided(this), rest);
  }

  giveUp(reason: string, rest: Piece[]): void {
    const tcp = new Tcp(this, `mittens: ${reason}`);
    for (const { side, bytes, time } of rest) tcp.push(side, bytes, time);
    this.become(this.#hasGap ? new Resuming(this, tcp) : tcp, []);
  }

  push(side: Side, bytes: Buffer, time: number): void {
    this.#protocol.push(side, bytes, time);
  }

  /** One side has sent everything. */
  end(side: Side, time: number): void {
    this.#end ??= { by: side, isReset: false };
    this.#ended.add(side);
    this.link.close(side, time);
    this.#protocol.end(side, time);
  }

  /** One side has reset the connection. */
  reset(side: Side, time: number): void {
    if (!this.#end?.isReset) this.#end = { by: side, isReset: true };
    this.link.close(side, time);
  }

  /** The connection is over. */
  close(time: number): void {
    const { by, isReset = false } = this.#end ?? {};
    this.link.close('client', time);
    this.link.close('server', time);
    const isRefused = by === 'server' && !this.link.ends.server;
    const message = isRefused
      ? 'server refused connection'
      : by
        ? DISCONNECTED[by]
        : 'the tap ended the connection';
    this.#protocol.close({ by, isReset, message, time });
    this.account.settle();
  }

  /** Nothing more of it is read, though it is not over. @param message why. */
  cut(message: string, time: number): void {
    this.#protocol.close({ by: undefined, isReset: false, message, time });
    this.account.settle();
  }

  /** Bytes are missing here. */
  skip(missing: { client: number; server: number }, time: number): void {
    const what = `${missing.client} bytes of the client and ${missing.server} of the app are missing`;
    this.#protocol.close({ by: undefined, isReset: false, message: what, time });
    this.#hasGap = true;
    const tcp = new Tcp(this, `mittens: joined midway: ${what}`);
    this.#protocol = this.#protocol.canResume ? new Resuming(this, tcp) : tcp;
  }
}
