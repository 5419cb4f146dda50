import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { notImplemented } from '../objects/status.ts';
import { HeaderBlocks, type Headers } from './spdy-headers.ts';

/**
 * Answers an upgrade to SPDY/3.1.
 * @throws StatusError: NotImplemented, before anything is sent, when the client does not offer the protocol.
 */
export function acceptSpdy(request: IncomingMessage, socket: Duplex, head: Buffer, protocol: string): Duplex {
  const { upgrade = 'nothing' } = request.headers;
  if (upgrade.toLowerCase() !== 'spdy/3.1') throw notImplemented(`an upgrade to ${upgrade}`);
  const offered = String(request.headers['x-stream-protocol-version'] ?? '');
  if (!offered.split(/,\s*/).includes(protocol))
    throw notImplemented(`the SPDY stream protocols "${offered}"`);
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n' +
      `X-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
  return socket;
}

const SYN_STREAM = 1;
const SYN_REPLY = 2;
const RST_STREAM = 3;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 9;
const FIN = 1;
const CANCEL = 5;

/** A stream that the client opened. */
export class SpdyStream extends Duplex {
  readonly headers: Headers;
  readonly #send: SendData;
  #drained: () => void = () => undefined;
  #finished = false;

  constructor(headers: Headers, send: SendData) {
    // Go's SPDY has no flow control: an unread stream blocks the whole connection.
    super({ allowHalfOpen: true, readableHighWaterMark: 1 << 20 });
    this.headers = headers;
    this.#send = send;
  }

  /** Takes received data; resolves when it can take more. */
  async receive(data: Buffer, end: boolean): Promise<void> {
    if (this.destroyed) return;
    const full = data.length > 0 && !this.push(data);
    if (end) this.push(null);
    else if (full) await new Promise<void>((resolve) => (this.#drained = resolve));
  }

  /** Call when the client has reset it. */
  reset(): void {
    this.#finished = true;
    this.destroy();
  }

  override _read(): void {
    this.#drained();
  }

  override _write(chunk: Buffer, _: string, done: (error?: Error | null) => void): void {
    this.#send(chunk, 0, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#finished = true;
    this.#send(Buffer.alloc(0), FIN, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#drained();
    if (!this.#finished) this.#send('reset', 0, () => undefined);
    done(error);
  }
}

type SendData = (data: Buffer | 'reset', flags: number, done: (error?: Error | null) => void) => void;

interface Frame {
  /** 'data', or a control frame's type. */
  type: number | 'data';
  flags: number;
  /** A data frame's stream. */
  id: number;
  body: Buffer;
}

/**
 * Serves a SPDY connection until it ends. Calls `opened` for each stream, after the reply. Its streams end with it.
 */
export async function serveSpdy(transport: Duplex, opened: (stream: SpdyStream) => void): Promise<void> {
  const blocks = new HeaderBlocks();
  const streams = new Map<number, SpdyStream>();
  try {
    for await (const frame of readFrames(transport)) {
      const { type, flags, id, body } = frame;
      if (type === 'data') await streams.get(id)?.receive(body, (flags & FIN) !== 0);
      else if (type === SYN_STREAM) opened(await open(frame));
      else if (type === RST_STREAM) streams.get(body.readUInt32BE(0))?.reset();
      else if (type === PING) transport.write(control(PING, body));
      else if (type === GOAWAY) break;
      else if (type !== WINDOW_UPDATE) throw notImplemented(`SPDY frames of type ${type}`);
    }
  } catch (error) {
    // A client may disconnect at any time. Other errors go to the log, as the client cannot be told.
    if (!transport.destroyed) console.error('the pocket cluster fails:', error);
  } finally {
    for (const stream of streams.values()) stream.reset();
    transport.destroy();
  }

  async function open({ flags, body }: Frame): Promise<SpdyStream> {
    const id = body.readUInt32BE(0);
    const stream = new SpdyStream(
      await blocks.decode(body.subarray(10)),
      (data, flags, done) =>
        void transport.write(data === 'reset' ? resetFrame(id) : dataFrame(id, flags, data), done),
    );
    streams.set(
      id,
      stream.once('close', () => streams.delete(id)).on('error', () => undefined),
    );
    if (flags & FIN) stream.push(null);
    transport.write(control(SYN_REPLY, Buffer.concat([uint32(id), await blocks.encode({})])));
    return stream;
  }
}

/** Splits the input into frames. */
async function* readFrames(transport: Duplex): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of transport as AsyncIterable<Buffer>) {
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    while (rest.length >= 8) {
      const end = 8 + rest.readUIntBE(5, 3);
      if (rest.length < end) break;
      const word = rest.readUInt32BE(0);
      const type = word >>> 31 ? word & 0xffff : 'data';
      yield { type, flags: rest.readUInt8(4), id: word & 0x7fffffff, body: rest.subarray(8, end) };
      rest = rest.subarray(end);
    }
  }
}

function control(type: number, body: Buffer): Buffer {
  return Buffer.concat([uint32(0x80030000 + type), uint32(body.length), body]);
}

function resetFrame(id: number): Buffer {
  return control(RST_STREAM, Buffer.concat([uint32(id), uint32(CANCEL)]));
}

function dataFrame(id: number, flags: number, data: Buffer): Buffer {
  return Buffer.concat([uint32(id), uint32(flags * 0x1000000 + data.length), data]);
}

function uint32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}
