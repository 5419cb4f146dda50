import type { IncomingMessage } from 'node:http';
import { type Duplex, Readable, Writable } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { notDone } from './status.ts';

/** Whether a client asks for a WebSocket, not for SPDY. */
export function wantsWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Completes the handshake of a WebSocket, with the first of the subprotocols that the client offers.
 * @throws StatusError when it offers none of them; the socket is then as it was.
 */
export async function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  subprotocols: string[],
): Promise<WebSocket> {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const chosen = subprotocols.find((name) => offered.includes(name));
  if (!chosen) throw notDone(`the WebSocket subprotocols ${offered.join(', ') || '(none)'}`);
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    handleProtocols: () => chosen,
  });
  return await new Promise((resolve) => server.handleUpgrade(request, socket, head, resolve));
}

/** Several streams in one WebSocket: the first byte of a message says which, by number. */
export interface Channels {
  input(channel: number): Readable;
  output(channel: number): Writable;
}

const CLOSE = 255;

/** Takes a WebSocket's messages apart, and puts them together, as v4 and v5.channel.k8s.io do. */
export function channelsOf(webSocket: WebSocket): Channels {
  const inputs = new Map<number, Readable>();
  webSocket.on('message', (message: RawData) => {
    const [channel = -1] = message as Buffer;
    const data = (message as Buffer).subarray(1);
    // Only in v5: the client has no more to say on this channel.
    if (channel === CLOSE) return void inputs.get(data[0] ?? -1)?.push(null);
    const input = inputs.get(channel);
    if (!input || input.destroyed || data.length === 0) return;
    if (!input.push(data)) webSocket.pause();
  });
  // What is cut off must not look like an end of input.
  webSocket.on('close', () => {
    for (const input of inputs.values()) input.destroy();
  });
  return {
    input(channel) {
      const read = () => webSocket.resume();
      const input = new Readable({ read, destroy: (error, done) => (read(), done(error)) });
      inputs.set(channel, input);
      return input;
    },
    output: (channel) => outputOf(webSocket, channel),
  };
}

function outputOf(webSocket: WebSocket, channel: number): Writable {
  return new Writable({
    write(data: Buffer, _encoding, done) {
      webSocket.send(Buffer.concat([Buffer.of(channel), data]), done);
    },
  });
}
