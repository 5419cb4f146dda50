import type { IncomingMessage } from 'node:http';
import { type Duplex, Readable, Writable } from 'node:stream';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import type { CommandStreams } from './remote-command.ts';
import { notDone } from './status.ts';

/** Whether a request asks for a WebSocket; the other way to take a connection over is SPDY. */
export function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Answers the handshake with the first of the protocols that the client offers too.
 * @throws NotImplemented, before anything is answered, when it offers none of them.
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
  if (!protocol) throw notDone(`the WebSocket protocols "${asked}"`);
  const server = new WebSocketServer({ noServer: true, handleProtocols: () => protocol });
  return await new Promise((resolve, reject) => {
    server.once('wsClientError', reject);
    server.handleUpgrade(request, socket, head, resolve);
  });
}

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
/** v5 only: the byte after it names a channel to which no more will come. */
const CLOSE = 255;

/** The streams of a remote command as channels: the first byte of a message says to which it belongs. */
export function channelsOf(webSocket: WebSocket): CommandStreams {
  const messages = createWebSocketStream(webSocket, { readableObjectMode: true });
  const stdin = inputChannel();
  const resize = inputChannel();
  const inputs = new Map([
    [STDIN, stdin],
    [RESIZE, resize],
  ]);
  const gone = demultiplex(messages, inputs)
    .catch((error: Error) => webSocket.close(1011, error.message))
    .finally(() => {
      for (const stream of [stdin.stream, resize.stream, stdout, stderr]) stream.destroy();
    });
  const stdout = outputChannel(messages, STDOUT);
  const stderr = outputChannel(messages, STDERR);
  // By an empty message the client learns that the command is about to run.
  messages.write(Buffer.from([STDOUT]));
  return {
    ...{ stdin: stdin.stream, resize: resize.stream, stdout, stderr },
    error: outputChannel(messages, ERROR),
    gone,
    // It waits for what was sent before, and for the client's answer.
    close: () => webSocket.close(1000),
  };
}

interface InputChannel {
  stream: Readable;
  /** Resolves when the channel can take more. */
  push(data: Buffer | null): Promise<void>;
}

function inputChannel(): InputChannel {
  let drained: () => void = () => undefined;
  const stream = new Readable({ read: () => drained(), destroy: (_, done) => void (drained(), done(null)) });
  return {
    stream,
    push: async (data) => {
      const full = !stream.destroyed && !stream.push(data) && data !== null;
      if (full) await new Promise<void>((resolve) => (drained = resolve));
    },
  };
}

function outputChannel(messages: Duplex, channel: number): Writable {
  return new Writable({
    write: (chunk: Buffer, _, done) =>
      void messages.write(Buffer.concat([Buffer.from([channel]), chunk]), (error) => done(error)),
  });
}

/** Reads no further than the inputs take, so that a client is as slow as the command that reads it. */
async function demultiplex(messages: Duplex, inputs: Map<number, InputChannel>): Promise<void> {
  for await (const message of messages as AsyncIterable<Buffer>) {
    const [channel = STDIN, closed = STDIN] = message;
    const input = inputs.get(channel === CLOSE ? closed : channel);
    if (!input) throw notDone(`input on channel ${channel}`);
    await input.push(channel === CLOSE ? null : message.subarray(1));
  }
}
