import { Exchange, type Message } from './exchange.ts';
import type { RawHeader, RequestHead, ResponseHead } from './head.ts';
import { HpackDecoder, HpackError } from './hpack.ts';
import { Http2Error, type Http2Listener, Http2Reader } from './http2-reader.ts';
import type { Ending, Host, Protocol } from './protocol.ts';
import type { Side } from './side.ts';

/** One side: the frames that it sends, and what their headers refer to. */
interface Half {
  reader: Http2Reader;
  hpack: HpackDecoder;
}

/** HTTP/2 in plaintext on one connection: each stream is an exchange. */
export class Http2 implements Protocol {
  readonly canResume = false;
  readonly #host: Host;
  readonly #halves: Record<Side, Half>;
  readonly #streams = new Map<number, Exchange>();
  /** The highest stream that the client has opened: it opens them in order. */
  #last = 0;
  #time = 0;
  /** Why the connection is to end, if that is an error. */
  #goAway: string | undefined;
  #isOver = false;

  /** @param upgraded the request of HTTP/1.1 that has asked for HTTP/2: it is answered on the first stream. */
  constructor(host: Host, upgraded?: Exchange) {
    this.#host = host;
    this.#halves = { client: this.#createHalf('client'), server: this.#createHalf('server') };
    if (!upgraded) return;
    this.#streams.set(1, upgraded);
    this.#last = 1;
  }

  #createHalf(side: Side): Half {
    const listener: Http2Listener = {
      onHeaders: (stream, block, ends, promised) => this.#takeHeaders(side, stream, block, ends, promised),
      onData: (stream, bytes, ends) => this.#takeData(side, stream, bytes, ends),
      onReset: (stream, code) => this.#takeReset(side, stream, code),
      onGoAway: (code) => {
        if (code !== 0) this.#goAway ??= `HTTP/2 connection closed by ${side} (${formatCode(code)})`;
      },
    };
    const reader = new Http2Reader(this.#host.account, listener, { hasPreface: side === 'client' });
    return { reader, hpack: new HpackDecoder() };
  }

  push(side: Side, bytes: Buffer, time: number): void {
    if (this.#isOver) return;
    this.#time = time;
    const { reader, hpack } = this.#halves[side];
    const cost = hpack.cost;
    try {
      reader.push(bytes);
    } catch (error) {
      if (!(error instanceof Http2Error || error instanceof HpackError)) throw error;
      this.#giveUp(side, error.message);
    }
    this.#host.account.charge(hpack.cost - cost);
  }

  #giveUp(side: Side, reason: string): void {
    this.#isOver = true;
    this.#failAll(`HTTP/2 protocol error: ${reason}`, this.#time);
    const bytes = this.#halves[side].reader.takeUnread();
    this.#host.giveUp(`not read as HTTP/2: ${reason}`, [{ side, bytes, time: this.#time }]);
  }

  #takeHeaders(side: Side, stream: number, block: Buffer, ends: boolean, promised: number | undefined): void {
    // Also those of streams that are over change what later ones refer to.
    const headers = this.#halves[side].hpack.decode(block);
    if (promised !== undefined) this.#push(promised, headers);
    else if (side === 'server') this.#takeResponseHeaders(stream, headers, ends);
    else if (this.#streams.has(stream)) this.#takeTrailers(stream, 'client', headers, ends);
    else if (stream > this.#last) {
      this.#last = stream;
      this.#open(stream, headers);
      if (ends) this.#finish(stream, 'client');
    }
  }

  #open(stream: number, headers: RawHeader[]): Exchange {
    const exchange = new Exchange(this.#host, toRequestHead(headers), this.#time);
    this.#streams.set(stream, exchange);
    return exchange;
  }

  /** A request that the server answers before it is asked. */
  #push(stream: number, headers: RawHeader[]): void {
    // A hostile server may promise a stream that is open.
    this.#emit(stream);
    this.#open(stream, headers).notes.push('mittens: pushed by the server');
    this.#finish(stream, 'client');
  }

  #takeResponseHeaders(stream: number, headers: RawHeader[], ends: boolean): void {
    const exchange = this.#streams.get(stream);
    if (!exchange) return;
    if (exchange.response) {
      this.#takeTrailers(stream, 'server', headers, ends);
      return;
    }
    const head = toResponseHead(headers);
    if (head.status < 200 && !ends) exchange.note(head);
    else {
      exchange.answer(head, this.#time);
      if (ends) this.#finish(stream, 'server');
    }
  }

  #takeTrailers(stream: number, side: Side, headers: RawHeader[], ends: boolean): void {
    const message = this.#find(stream, side);
    if (message) message.trailers = headers;
    if (ends) this.#finish(stream, side);
  }

  #takeData(side: Side, stream: number, bytes: Buffer, ends: boolean): void {
    this.#find(stream, side)?.body.add(bytes);
    if (ends) this.#finish(stream, side);
  }

  #find(stream: number, side: Side): Message<RequestHead | ResponseHead> | undefined {
    const exchange = this.#streams.get(stream);
    return side === 'client' ? exchange?.request : exchange?.response;
  }

  #finish(stream: number, side: Side): void {
    this.#find(stream, side)?.finish(this.#time);
    if (this.#streams.get(stream)?.isDone) this.#emit(stream);
  }

  /** A server may answer, and want no more of the request: that is not an error. */
  #takeReset(side: Side, stream: number, code: number): void {
    const exchange = this.#streams.get(stream);
    if (!exchange?.response?.isDone)
      exchange?.fail(`stream reset by ${side} (${formatCode(code)})`, this.#time);
    this.#emit(stream);
  }

  #emit(stream: number): void {
    const exchange = this.#streams.get(stream);
    this.#streams.delete(stream);
    if (exchange) this.#host.emit(exchange);
  }

  end(): void {}

  close({ by, message, time }: Ending): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failAll(this.#goAway ?? (by ? 'peer closed connection' : message), time);
  }

  #failAll(message: string, time: number): void {
    for (const [stream, exchange] of this.#streams) {
      if (!exchange.response?.isDone) exchange.fail(message, time);
      this.#emit(stream);
    }
  }
}

const [VERSION, NOTHING, HTTP] = [Buffer.from('HTTP/2.0'), Buffer.alloc(0), Buffer.from('http')];

/** Cuts off the pseudo-headers, https://www.rfc-editor.org/rfc/rfc9113#section-8.3. */
function splitHeaders(all: RawHeader[]): {
  pseudo: Map<string, Buffer>;
  headers: RawHeader[];
  bytes: number;
} {
  const COLON = 58;
  const isPseudo = ([name]: RawHeader) => name[0] === COLON;
  return {
    pseudo: new Map(all.filter(isPseudo).map(([name, value]) => [name.toString('latin1'), value])),
    headers: all.filter((header) => !isPseudo(header)),
    bytes: all.reduce((sum, [name, value]) => sum + name.length + value.length, 0),
  };
}

function toRequestHead(all: RawHeader[]): RequestHead {
  const { pseudo, headers, bytes } = splitHeaders(all);
  return {
    httpVersion: VERSION,
    method: pseudo.get(':method') ?? NOTHING,
    scheme: pseudo.get(':scheme') ?? HTTP,
    authority: pseudo.get(':authority') ?? NOTHING,
    path: pseudo.get(':path') ?? NOTHING,
    headers,
    bytes,
  };
}

/** @throws Http2Error for headers without a status. */
function toResponseHead(all: RawHeader[]): ResponseHead {
  const { pseudo, headers, bytes } = splitHeaders(all);
  const status = pseudo.get(':status')?.toString('latin1') ?? '';
  if (!/^\d{3}$/.test(status)) throw new Http2Error('a response without a status');
  return { httpVersion: VERSION, status: Number(status), reason: NOTHING, headers, bytes };
}

/** Error codes, https://www.rfc-editor.org/rfc/rfc9113#section-7. */
const CODES = [
  ...[
    'NO_ERROR',
    'PROTOCOL_ERROR',
    'INTERNAL_ERROR',
    'FLOW_CONTROL_ERROR',
    'SETTINGS_TIMEOUT',
    'STREAM_CLOSED',
  ],
  ...[
    'FRAME_SIZE_ERROR',
    'REFUSED_STREAM',
    'CANCEL',
    'COMPRESSION_ERROR',
    'CONNECT_ERROR',
    'ENHANCE_YOUR_CALM',
  ],
  ...['INADEQUATE_SECURITY', 'HTTP_1_1_REQUIRED'],
];

function formatCode(code: number): string {
  return CODES[code] ?? String(code);
}
