import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createWebSocketStream } from 'ws';
import { acceptSpdy, type SpdyStream, serveSpdy } from './spdy.ts';
import { acceptWebSocket, asksForWebSocket } from './websocket.ts';

const PROTOCOL = 'portforward.k8s.io';

/** For what a client still says when the pod has hung up: as containerd does. */
const GRACE_MS = 1000;

/** Connects to a port of the pod; the client is told the error that it rejects with. */
type Dial = (port: number) => Promise<Duplex>;

/**
 * Forwards connections to ports of a pod until the client goes.
 * @throws NotImplemented when the client speaks none of the protocols.
 */
export async function servePortForward(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  dial: Dial,
): Promise<void> {
  const pod = /\/pods\/([^/]+)/.exec(request.url ?? '')?.[1] ?? '';
  const transport = await accept(request, socket, head);
  // Who reads and who writes hear of it themselves.
  transport.on('error', () => undefined);
  const waiting = new Map<string, SpdyStream>();
  await serveSpdy(transport, (stream) => {
    // A connection is two streams.
    const { requestid = '', streamtype } = stream.headers;
    const other = waiting.get(requestid);
    if (!other) return void waiting.set(requestid, stream);
    waiting.delete(requestid);
    const [data, error] = streamtype === 'data' ? [stream, other] : [other, stream];
    void forward(data, error, pod, dial);
  });
}

/** The connection that SPDY is spoken on: the socket itself, or a WebSocket whose messages carry the bytes. */
async function accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<Duplex> {
  if (!asksForWebSocket(request)) return acceptSpdy(request, socket, head, PROTOCOL);
  return createWebSocketStream(await acceptWebSocket(request, socket, head, [`SPDY/3.1+${PROTOCOL}`]));
}

/** One connection. The client waits for the end of the error stream, whether or not something went wrong. */
async function forward(data: SpdyStream, error: SpdyStream, pod: string, dial: Dial): Promise<void> {
  const { port = '' } = data.headers;
  error.resume();
  try {
    const connection = await dial(Number(port));
    const upload = pipeline(data, connection).catch(() => undefined);
    await pipeline(connection, data, { end: false });
    // The pod has said all; older clients stop to speak only when they have been told so.
    data.end();
    error.end();
    await Promise.race([upload, sleep(GRACE_MS, undefined, { ref: false })]);
    connection.destroy();
    data.destroy();
  } catch (cause) {
    // A client that left its stream does not want to know.
    if (!data.destroyed || data.errored)
      error.write(`error forwarding port ${port} to pod ${pod}, uid : ${(cause as Error).message}`);
    data.end();
    data.resume();
    error.end();
  }
}
