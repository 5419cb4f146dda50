import { Exchange, type Message } from './exchange.ts';
import { type BodyReader, findRequestBody, findResponseBody, findTokens } from './framing.ts';
import {
  countBlank,
  HeadScanner,
  HttpError,
  parseRequestHead,
  parseResponseHead,
  quote,
  type RequestHead,
  type ResponseHead,
} from './head.ts';
import { Http2 } from './http2.ts';
import { DISCONNECTED, type Ending, type Host, type Piece, type Protocol } from './protocol.ts';
import { opposite, type Side } from './side.ts';
import { Tcp } from './tcp.ts';
import { Unread } from './unread.ts';
import { WebSocket } from './websocket.ts';

/** What one side is sending. */
class Half {
  readonly scanner = new HeadScanner();
  readonly unread: Unread;
  /** Of the message that is being read, once its head was. */
  reader: BodyReader | undefined;
  message: Message<RequestHead | ResponseHead> | undefined;
  /** When the first byte came that is not read. */
  since = 0;

  constructor(host: Host) {
    this.unread = new Unread(host.account);
  }
}

const NOTHING = Buffer.alloc(0);

/** HTTP/1.0 and 1.1 on one connection: its requests, and their responses in the same order. */
export class Http1 implements Protocol {
  readonly canResume = true;
  readonly #host: Host;
  readonly #client: Half;
  readonly #server: Half;
  /** Whose responses have not ended, the oldest first. */
  #pending: Exchange[] = [];
  /** The request after which the client may speak another protocol, if the response says so. */
  #asking: Exchange | undefined;
  /** The request whose response has said so. */
  #leaving: Exchange | undefined;
  #isOver = false;

  constructor(host: Host) {
    this.#host = host;
    this.#client = new Half(host);
    this.#server = new Half(host);
  }

  push(side: Side, bytes: Buffer, time: number): void {
    let progress = this.#read(side, bytes, time);
    // What one side sends may be what the other's bytes wait for.
    for (let other = opposite(side); progress && this.#half(other).unread.length > 0; other = opposite(other))
      progress = this.#read(other, NOTHING, time);
  }

  #half(side: Side): Half {
    return side === 'client' ? this.#client : this.#server;
  }

  /** @returns whether anything was read. */
  #read(side: Side, piece: Buffer, time: number): boolean {
    if (this.#isOver) return false;
    const half = this.#half(side);
    if (half.unread.length === 0) half.since = time;
    const bytes = half.unread.add(piece);
    let at = 0;
    try {
      for (let used = -1; used !== 0 && at < bytes.length; at += used) {
        used = this.#step(side, at === 0 ? bytes : bytes.subarray(at), time);
        if (used > 0) half.since = time;
      }
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      half.unread.keep(bytes.subarray(at));
      this.#giveUp(side, error.message, time);
      return false;
    }
    half.unread.keep(bytes.subarray(at));
    if (this.#leaving) this.#leave(this.#leaving);
    return at > 0;
  }

  /** Reads a head, or a piece of a body. @returns how many bytes it has read. */
  #step(side: Side, bytes: Buffer, time: number): number {
    const half = this.#half(side);
    if (half.reader) return this.#readBody(side, half, bytes, time);
    if (side === 'client' ? this.#asking : this.#leaving || !this.#findUnanswered())
      return this.#hold(bytes, side);
    const blank = countBlank(bytes);
    if (blank > 0) return blank;
    const length = half.scanner.find(bytes);
    if (length === undefined) return 0;
    const head = Buffer.from(bytes.subarray(0, length));
    if (side === 'client') this.#beginRequest(parseRequestHead(head), time);
    else this.#beginResponse(parseResponseHead(head), time);
    return length;
  }

  /** Bytes that can't be read before the other side has spoken. */
  #hold(bytes: Buffer, side: Side): number {
    const blank = side === 'server' && !this.#leaving ? countBlank(bytes) : 0;
    if (blank === 0 && bytes.length > MAX_HELD_BYTES)
      throw new HttpError(`more than ${MAX_HELD_BYTES} bytes out of turn`);
    return blank;
  }

  #findUnanswered(): Exchange | undefined {
    return this.#pending.find(({ response }) => !response?.isDone);
  }

  #beginRequest(head: RequestHead, time: number): void {
    const exchange = new Exchange(this.#host, head, this.#client.since);
    this.#pending.push(exchange);
    this.#client.message = exchange.request;
    if (isConnect(exchange) || findTokens(head.headers, 'upgrade').length > 0) this.#asking = exchange;
    this.#client.reader = findRequestBody(head, exchange.request.body);
    if (!this.#client.reader) this.#finish('client', time);
  }

  #beginResponse(head: ResponseHead, time: number): void {
    const exchange = this.#findUnanswered() as Exchange;
    if (head.status === 101) this.#switchProtocols(exchange, head, time);
    else if (head.status < 200) exchange.note(head);
    else this.#beginFinalResponse(exchange, head, time);
  }

  #beginFinalResponse(exchange: Exchange, head: ResponseHead, time: number): void {
    const response = exchange.answer(head, this.#server.since);
    if (exchange === this.#asking) this.#asking = undefined;
    if (isConnect(exchange) && head.status < 300) this.#leaving = exchange;
    this.#server.message = response;
    this.#server.reader = findResponseBody(exchange.request.head.method, head, response.body);
    if (!this.#server.reader) this.#finish('server', time);
  }

  /** For HTTP/2 the response is still to come, on its first stream. */
  #switchProtocols(exchange: Exchange, head: ResponseHead, time: number): void {
    if (exchange !== this.#asking) throw new HttpError('101 for a request that did not ask for an upgrade');
    this.#leaving = exchange;
    if (isUpgradeTo('h2c', head)) exchange.note(head);
    else exchange.answer(head, this.#server.since).finish(time);
  }

  #readBody(side: Side, half: Half, bytes: Buffer, time: number): number {
    const reader = half.reader as BodyReader;
    const used = reader.read(bytes);
    if (reader.isDone) {
      if (half.message && reader.trailers) half.message.trailers = reader.trailers;
      this.#finish(side, time);
    }
    return used;
  }

  /** A message is whole. */
  #finish(side: Side, time: number): void {
    this.#half(side).message?.finish(time);
    this.#stop(side);
  }

  /** Nothing more comes of a message. */
  #stop(side: Side): void {
    const half = this.#half(side);
    if (half.message) half.message.isDone = true;
    half.message = undefined;
    half.reader = undefined;
    while (this.#pending[0]?.isDone && this.#pending[0] !== this.#leaving)
      this.#host.emit(this.#pending.shift() as Exchange);
  }

  /** Both sides speak another protocol from here on, once the request has ended. */
  #leave(exchange: Exchange): void {
    if (!exchange.request.isDone) return;
    const { response } = exchange;
    const rest = this.#end();
    if (!response) this.#host.become(new Http2(this.#host, exchange), rest);
    else if (isWebSocket(exchange, response.head))
      this.#host.become(new WebSocket(this.#host, exchange), rest);
    else {
      this.#host.emit(exchange);
      if (isConnect(exchange)) this.#host.detect(rest);
      else this.#host.become(new Tcp(this.#host), rest);
    }
  }

  /** What could not be read is shown as bytes. */
  #giveUp(side: Side, reason: string, time: number): void {
    const pending = this.#pending;
    const rest = this.#end();
    const message = side === 'server' ? `Cannot parse HTTP response: ${reason}` : reason;
    for (const exchange of pending) {
      exchange.fail(message, time);
      this.#host.emit(exchange);
    }
    this.#host.giveUp(`not read as HTTP: ${reason}`, rest);
  }

  /** @returns what was not read. */
  #end(): Piece[] {
    this.#isOver = true;
    this.#pending = [];
    const sides: Side[] = ['client', 'server'];
    return sides
      .map((side) => ({ side, time: this.#half(side).since, bytes: this.#half(side).unread.take() }))
      .filter(({ bytes }) => countBlank(bytes) < bytes.length)
      .sort((a, b) => a.time - b.time);
  }

  /** A client that has sent everything may wait for its response. */
  end(side: Side, time: number): void {
    const { reader } = this.#half(side);
    if (reader?.cutMessage) {
      const [exchange] = side === 'client' ? this.#pending.slice(-1) : [this.#findUnanswered()];
      exchange?.fail(reader.cutMessage, time);
      this.#stop(side);
    } else if (reader) this.#finish(side, time);
    if (side === 'server') this.#endResponses(time);
  }

  /** The server has closed the connection: requests without a response don't get one. */
  #endResponses(time: number): void {
    const { unread } = this.#server;
    let message =
      unread.length > 0 ? `unexpected server response: ${quote(unread.view())}` : DISCONNECTED.server;
    this.#pending = this.#pending.filter((exchange) => {
      if (!exchange.request.isDone || exchange.response) return true;
      exchange.fail(message, time);
      message = DISCONNECTED.server;
      this.#host.emit(exchange);
      return false;
    });
  }

  close(ending: Ending): void {
    const pending = this.#pending;
    const rest = this.#end();
    for (const exchange of pending) {
      // An app may answer before it has read the request, and close.
      if (!exchange.response?.isDone) exchange.fail(ending.message, ending.time);
      this.#host.emit(exchange);
    }
    if (rest.length === 0) return;
    const tcp = new Tcp(this.#host, 'mittens: not read as HTTP: it is cut off, or was not asked for');
    for (const { side, bytes, time } of rest) tcp.push(side, bytes, time);
    tcp.close(ending);
  }
}

/** What one side may send before the other has spoken, in bytes. */
const MAX_HELD_BYTES = 1024 * 1024;

const CONNECT = Buffer.from('CONNECT');

function isConnect({ request }: Exchange): boolean {
  return request.head.method.equals(CONNECT);
}

function isUpgradeTo(protocol: string, { headers }: ResponseHead): boolean {
  return findTokens(headers, 'upgrade').includes(protocol);
}

/** As mitmproxy tells them. */
function isWebSocket({ request }: Exchange, response: ResponseHead): boolean {
  const [version] = findTokens(request.head.headers, 'sec-websocket-version');
  return response.status === 101 && isUpgradeTo('websocket', response) && version === '13';
}
