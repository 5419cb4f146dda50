import type { Dict, Value } from '../flow/tnetstring.ts';
import { Body, describeCut } from './body.ts';
import { type DeflateParameters, INFLATER_COST, Inflater, parseDeflate } from './deflate.ts';
import type { Exchange } from './exchange.ts';
import { CUT_MESSAGES, Messages } from './messages.ts';
import type { Ending, Host, Protocol } from './protocol.ts';
import type { Side } from './side.ts';
import { BINARY, CLOSE, FrameError, type SocketMessage, WebSocketReader } from './websocket-reader.ts';

/** No code was sent; the connection ended without a close frame, https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1. */
const [NO_CODE, ABNORMAL] = [1005, 1006];
/** The bit of a message that permessage-deflate has compressed. */
const COMPRESSED = 4;

interface Close {
  side: Side;
  code: number;
  reason: string | null;
  time: number;
}

/** A WebSocket, which belongs to the exchange that has opened it. */
export class WebSocket implements Protocol {
  readonly canResume = false;
  readonly #host: Host;
  readonly #exchange: Exchange;
  readonly #readers: Record<Side, WebSocketReader>;
  readonly #inflaters: Record<Side, Inflater> | undefined;
  readonly #messages: Messages;
  readonly #notes = new Set<string>();
  /** What is said of the longest message that was cut. */
  #longest: { total: number; note: string | undefined } = { total: 0, note: undefined };
  /** The first close frame of either side. */
  #close: Close | undefined;
  readonly #closed = new Set<Side>();
  #isOver = false;

  constructor(host: Host, exchange: Exchange) {
    this.#host = host;
    this.#exchange = exchange;
    exchange.webSocket = this;
    this.#messages = new Messages(host.account);
    this.#readers = { client: this.#createReader('client'), server: this.#createReader('server') };
    this.#inflaters = createInflaters(parseDeflate(exchange.response?.head.headers ?? []));
    host.account.charge(this.#inflatersCost);
  }

  #createReader(side: Side): WebSocketReader {
    return new WebSocketReader(this.#host.account, (message, time) => this.#take(side, message, time));
  }

  get #inflatersCost(): number {
    return this.#inflaters ? 2 * INFLATER_COST : 0;
  }

  get cost(): number {
    return this.#messages.cost + this.#inflatersCost;
  }

  get notes(): string[] {
    const cut = [this.#longest.note, this.#messages.areCut ? CUT_MESSAGES : undefined];
    return [...this.#notes, ...cut.filter((note) => note !== undefined)];
  }

  push(side: Side, bytes: Buffer, time: number): void {
    if (this.#isOver) return;
    try {
      this.#readers[side].push(bytes, time);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#giveUp(side, error.message, time);
    }
  }

  #giveUp(side: Side, reason: string, time: number): void {
    this.#exchange.fail(`WebSocket protocol error: ${reason}`, time);
    const bytes = this.#readers[side].takeUnread();
    this.#end();
    this.#host.giveUp(`not read as WebSocket: ${reason}`, [{ side, bytes, time }]);
  }

  #take(side: Side, message: SocketMessage, time: number): void {
    const { opcode, body } = message;
    if (opcode <= BINARY) this.#add(side, message, time);
    else if (opcode === CLOSE) this.#takeClose(side, body.view(), time);
    body.clear();
  }

  #add(side: Side, { opcode, body, reserved }: SocketMessage, time: number): void {
    this.#noteCut(body);
    const content = this.#decode(side, body, reserved);
    this.#messages.add([opcode, side === 'client', content, time, false, false], content.length);
  }

  #decode(side: Side, body: Body, reserved: number): Buffer {
    const inflater = this.#inflaters?.[side];
    if (!inflater || (reserved & COMPRESSED) === 0) {
      if (reserved !== 0)
        this.#notes.add('mittens: messages of an unknown extension are shown as they were sent');
      return Buffer.from(body.view());
    }
    if (body.isCut) inflater.lose();
    const plain = body.isCut ? undefined : inflater.inflate(body.view());
    if (!plain) this.#notes.add('mittens: messages that do not inflate are shown as they were sent');
    const kept = new Body(this.#host.account);
    kept.add(plain ?? body.view());
    this.#noteCut(kept);
    const content = Buffer.from(kept.view());
    kept.clear();
    return content;
  }

  #noteCut(body: Body): void {
    if (body.isCut && body.total > this.#longest.total)
      this.#longest = { total: body.total, note: describeCut([body]) };
  }

  #takeClose(side: Side, payload: Buffer, time: number): void {
    const hasCode = payload.length >= 2;
    const code = hasCode ? payload.readUInt16BE(0) : NO_CODE;
    this.#close ??= { side, code, reason: payload.toString('utf8', 2), time };
    this.#closed.add(side);
    if (this.#closed.size === 2) this.#end();
  }

  end(): void {}

  close({ by, message, time }: Ending): void {
    if (this.#isOver) return;
    if (by) this.#close ??= { side: by, code: ABNORMAL, reason: null, time };
    else if (!this.#close) this.#exchange.fail(message, time);
    if (this.#readers.client.isWithinMessage || this.#readers.server.isWithinMessage)
      this.#notes.add('mittens: a message that did not end is left out');
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#host.emit(this.#exchange);
  }

  toState(): Dict {
    const close = this.#close;
    return new Map<string, Value>([
      ['messages', this.#messages.toState()],
      ['closed_by_client', close ? close.side === 'client' : null],
      ['close_code', close?.code ?? null],
      ['close_reason', close?.reason ?? null],
      ['timestamp_end', close?.time ?? null],
    ]);
  }
}

function createInflaters(parameters: DeflateParameters | undefined): Record<Side, Inflater> | undefined {
  return parameters && { client: new Inflater(parameters.client), server: new Inflater(parameters.server) };
}
