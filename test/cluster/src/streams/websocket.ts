import type { IncomingMessage } from 'node:http';
import { type Duplex, Readable, Writable } from 'node:stream';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import { notImplemented } from '../objects/status.ts';
import type { CommandStreams } from './command-streams.ts';

/** Whether a request asks for a WebSocket; otherwise it is SPDY. */
export function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Answers the handshake with the first protocol that the client offers too.
 * @throws StatusError: NotImplemented, before anything is sent, when it offers none.
 */
export async function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  protocols: string[],
): Promise<WebSocket> {
  const asked = request.headers['sec-websocket-protocol'] ?? '';
  const offered = asked.split(',').map((word) => word.trim());
  const protocol = protocols.find((name) => offered.includes(name));
  if (!protocol) throw notImplemented(`the WebSocket protocols "${asked}"`);
  // The library refuses the slash in SPDY/3.1+portforward.k8s.io, so the protocol is agreed on without it.
  delete request.headers['sec-websocket-protocol'];
  const server = new WebSocketServer({ noServer: true });
  server.once('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${protocol}`));
  return await new Promise((resolve, reject) => {
    // The library has already answered the client; this goes to the log.
    server.once('wsClientError', (error, _, { url }) => reject(new Error(`${error.message}: ${url}`)));
    server.handleUpgrade(request, socket, head, resolve);
  });
}

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
/** v5 only: the next byte names a channel that has ended. */
const CLOSE = 255;

/** The streams of a remote command over a WebSocket: the first byte of a message is its channel. */
export function openChannels(webSocket: WebSocket): CommandStreams {
  const messages = createWebSocketStream(webSocket, { readableObjectMode: true });
  // Readers and writers get the error themselves.
  messages.on('error', () => undefined);
  const stdin = new InputChannel();
  const resize = new InputChannel();
  const [stdout, stderr, error] = [STDOUT, STDERR, ERROR].map((channel) => outputChannel(messages, channel));
  const inputs = new Map([
    [STDIN, stdin],
    [RESIZE, resize],
  ]);
  const gone = demultiplex(messages, inputs)
    .catch((cause: Error) => webSocket.close(1011, cause.message))
    .finally(() => {
      for (const stream of [stdin, resize, stdout, stderr, error]) stream?.destroy();
    });
  // An empty message tells the client that the command is about to run.
  messages.write(Buffer.of(STDOUT));
  // Closing waits until all is sent, and for the client's answer.
  const close = () => webSocket.close(1000);
  return { stdin, resize, stdout, stderr, error, gone, close } as CommandStreams;
}

/** A channel's input, received no faster than it is read. */
class InputChannel extends Readable {
  #drained: () => void = () => undefined;

  /** Takes a message, or null for the end; resolves when it can take more. */
  async receive(data: Buffer | null): Promise<void> {
    if (this.destroyed || this.push(data) || data === null) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
  }

  override _read(): void {
    this.#drained();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#drained();
    done(error);
  }
}

function outputChannel(messages: Duplex, channel: number): Writable {
  return new Writable({
    write: (chunk: Buffer, _, done) =>
      void messages.write(Buffer.concat([Buffer.of(channel), chunk]), (error) => done(error)),
  });
}

async function demultiplex(messages: Duplex, inputs: Map<number, InputChannel>): Promise<void> {
  for await (const message of messages as AsyncIterable<Buffer>) {
    const [channel = STDIN, closed = STDIN] = message;
    const input = inputs.get(channel === CLOSE ? closed : channel);
    if (!input) throw notImplemented(`input on channel ${channel}`);
    if (channel === CLOSE) await input.receive(null);
    else if (message.length > 1) await input.receive(message.subarray(1));
  }
}
