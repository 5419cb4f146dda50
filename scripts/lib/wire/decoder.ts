import type { Dict } from '../flow/tnetstring.ts';
import { Budget } from './budget.ts';
import { Connection } from './connection.ts';
import { type Frame, FrameReader } from './frame.ts';
import { Link, type Port } from './link.ts';
import { parseBeginning, parseGap, parseOpening, parseSkipped } from './payload.ts';
import type { FlowSource } from './protocol.ts';
import type { Side } from './side.ts';

/** What is read of a frame at a time, so that few flows are in memory at once; mitmproxy reads as much. */
const PIECE_BYTES = 64 * 1024;

/** What was left out of a wire file, and why. */
export interface Omissions {
  /** Connections that were read no further, because more was open at once than is kept in memory. */
  cut: number;
  /** Frames of connections that the file does not open. */
  strayFrames: number;
  /** Bytes that are missing, as the file says at its end. */
  skipped: number;
}

/** Makes flows, in the state that mitmproxy's have, of a wire file that comes in chunks of any length. Its memory grows with what is open, within a bound. */
export class WireDecoder {
  readonly #reader = new FrameReader();
  readonly #connections = new Map<number, Connection>();
  readonly #budget: Budget;
  /** What will be flows, in the order in which they ended. */
  #ended: FlowSource[] = [];
  #ports = new Map<number, Port>();
  #time = 0;
  #isOver = false;
  readonly omissions: Omissions = { cut: 0, strayFrames: 0, skipped: 0 };

  /** @param budget for what is open; several decoders may share one. */
  constructor(budget = new Budget()) {
    this.#budget = budget;
  }

  /** Whether the file has said that it ends. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The offset of the first frame that was not read, and how many bytes there are of it. */
  get unread(): { offset: number; bytes: number } {
    return { offset: this.#reader.passed, bytes: this.#reader.holding };
  }

  /**
   * Takes a chunk and gives the flows that ended in it.
   * @throws WireError for what is not a wire file.
   */
  *push(chunk: Buffer): Generator<Dict> {
    for (const frame of this.#reader.push(chunk)) {
      this.#time = frame.time;
      if (frame.type === 'C' || frame.type === 'S') yield* this.#readBytes(frame);
      else this.#readEvent(frame);
      yield* this.#takeEnded();
    }
  }

  /** The file ends: gives what is open as it is. */
  *end(): Generator<Dict> {
    for (const [id, connection] of this.#connections) {
      connection.cut('the capture ended before the connection did', this.#time);
      this.#connections.delete(id);
      yield* this.#takeEnded();
    }
  }

  *#takeEnded(): Generator<Dict> {
    if (this.#ended.length === 0) return;
    const ended = this.#ended;
    this.#ended = [];
    for (const source of ended) yield source.toState();
  }

  *#readBytes({ type, connection: id, time, payload }: Frame): Generator<Dict> {
    const side: Side = type === 'C' ? 'client' : 'server';
    for (let at = 0; at < payload.length; at += PIECE_BYTES) {
      const connection = this.#find(id);
      connection?.push(side, payload.subarray(at, at + PIECE_BYTES), time);
      if (connection?.account.isExceeded) this.#cut(id, connection);
      yield* this.#takeEnded();
    }
  }

  #find(id: number): Connection | undefined {
    const connection = this.#connections.get(id);
    if (!connection) this.omissions.strayFrames++;
    return connection;
  }

  #cut(id: number, connection: Connection): void {
    connection.cut('more was open at once than is kept in memory', this.#time);
    this.#connections.delete(id);
    this.omissions.cut++;
  }

  #readEvent(frame: Frame): void {
    const { type, connection: id } = frame;
    if (type === 'H') this.#begin(frame);
    else if (type === 'O') this.#open(frame);
    else if (type === 'Z') this.#finish(frame);
    else {
      const connection = this.#find(id);
      if (connection) this.#readConnectionEvent(connection, frame);
    }
  }

  #readConnectionEvent(connection: Connection, frame: Frame): void {
    const { type, connection: id, time } = frame;
    if (type === 'c' || type === 's') connection.end(type === 'c' ? 'client' : 'server', time);
    else if (type === 'r' || type === 'R') connection.reset(type === 'r' ? 'client' : 'server', time);
    else if (type === 'G') connection.skip(parseGap(frame), time);
    else {
      connection.close(time);
      this.#connections.delete(id);
    }
  }

  #finish(frame: Frame): void {
    this.omissions.skipped += parseSkipped(frame);
    this.#isOver = true;
  }

  /** Connections of one file know nothing of those of the next. */
  #begin(frame: Frame): void {
    this.#isOver = false;
    for (const connection of this.#connections.values())
      connection.cut('the capture ended before the connection did', frame.time);
    this.#connections.clear();
    this.#ports = new Map(parseBeginning(frame).map((port) => [port.listen, port]));
  }

  #open(frame: Frame): void {
    const { connection: id, time: start } = frame;
    const { client, server, listen } = parseOpening(frame);
    this.#connections.get(id)?.cut('another connection has its number', start);
    const port = this.#ports.get(listen) ?? { listen, app: server?.[1] ?? 0, protocol: 'auto' };
    const link = new Link({ client, server, port, start });
    const connection = new Connection(link, this.#budget, (source) => this.#ended.push(source));
    this.#connections.set(id, connection);
    if (connection.account.isExceeded) this.#cut(id, connection);
  }
}
