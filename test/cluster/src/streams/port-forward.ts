import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createWebSocketStream } from 'ws';
import { acceptSpdy, type SpdyStream, serveSpdy } from './spdy.ts';
import { acceptWebSocket, asksForWebSocket } from './websocket.ts';

const PROTOCOL = 'portforward.k8s.io';

/** How long the client may still send when the pod has closed, as with containerd. */
const GRACE_MS = 1000;

/** Connects to a port of the pod; its error is sent to the client. */
type Dial = (port: number) => Promise<Duplex>;

/**
 * Forwards connections to ports of a pod until the client disconnects.
 * @throws StatusError: NotImplemented when the client offers no known protocol.
 */
export async function servePortForward(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  dial: Dial,
): Promise<void> {
  const pod = /\/pods\/([^/]+)/.exec(request.url ?? '')?.[1] ?? '';
  const transport = await accept(request, socket, head);
  // Readers and writers get the error themselves.
  transport.on('error', () => undefined);
  const waiting = new Map<string, SpdyStream>();
  await serveSpdy(transport, (stream) => {
    // A connection has two streams.
    const { requestid = '', streamtype } = stream.headers;
    const other = waiting.get(requestid);
    if (!other) return void waiting.set(requestid, stream);
    waiting.delete(requestid);
    const [data, error] = streamtype === 'data' ? [stream, other] : [other, stream];
    void forward(data, error, pod, dial);
  });
}

/** The transport of SPDY: the socket itself, or a WebSocket whose messages carry the bytes. */
async function accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<Duplex> {
  if (!asksForWebSocket(request)) return acceptSpdy(request, socket, head, PROTOCOL);
  return createWebSocketStream(await acceptWebSocket(request, socket, head, [`SPDY/3.1+${PROTOCOL}`]));
}

/** Forwards one connection. The client always waits for the end of the error stream. */
async function forward(data: SpdyStream, error: SpdyStream, pod: string, dial: Dial): Promise<void> {
  const { port = '' } = data.headers;
  error.resume();
  try {
    const connection = await dial(Number(port));
    const upload = pipeline(data, connection).catch(() => undefined);
    await pipeline(connection, data, { end: false });
    // The pod has sent all. Older clients stop sending only when told so.
    data.end();
    error.end();
    await Promise.race([upload, sleep(GRACE_MS, undefined, { ref: false })]);
    connection.destroy();
    data.destroy();
  } catch (cause) {
    // A client that has closed its stream is not told.
    if (!data.destroyed || data.errored)
      error.write(`error forwarding port ${port} to pod ${pod}, uid : ${(cause as Error).message}`);
    data.end();
    data.resume();
    error.end();
  }
}
