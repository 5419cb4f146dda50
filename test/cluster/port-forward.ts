import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { notDone } from './status.ts';

/** Connects a client of port-forward to ports of a pod. */
export async function servePortForward(
  _request: IncomingMessage,
  _socket: Duplex,
  _head: Buffer,
  _dial: (port: number) => Promise<Duplex>,
): Promise<void> {
  throw notDone('port-forward');
}
