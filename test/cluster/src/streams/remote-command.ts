import type { IncomingMessage } from 'node:http';
import { type Duplex, PassThrough, type Readable, type Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import type { Running } from '../containers/running.ts';
import type { CommandStreams } from './command-streams.ts';
import { acceptSpdy, type SpdyStream, serveSpdy } from './spdy.ts';
import { acceptWebSocket, asksForWebSocket, openChannels } from './websocket.ts';

/** What the client asked to be connected to. */
export interface Wanted {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

/**
 * Connects a client to a command, for `kubectl exec` and `attach`, until either ends.
 * @throws NotImplemented when the client speaks none of the protocols.
 */
export async function serveRunning(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  running: Running,
  wanted: Wanted,
): Promise<void> {
  // Node throws away what nobody reads of a child that has ended, and a client may be slow to open its streams.
  const stdout = held(running.stdout);
  const stderr = running.stderr && held(running.stderr);
  try {
    // A terminal has one output.
    const asked = { ...wanted, stderr: wanted.stderr && !wanted.tty };
    const streams = await accept(request, socket, head, asked);
    if (!streams) return;
    await Promise.race([streams.gone, relay(request, streams, { ...running, stdout, stderr }, asked)]);
    await streams.gone;
  } finally {
    running.release();
  }
}

function held(output: Readable): Readable {
  const passing = new PassThrough();
  pipeline(output, passing).catch(() => undefined);
  return passing;
}

async function accept(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  wanted: Wanted,
): Promise<CommandStreams | undefined> {
  if (!asksForWebSocket(request))
    return await spdyStreams(acceptSpdy(request, socket, head, 'v4.channel.k8s.io'), wanted);
  const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
  return openChannels(await acceptWebSocket(request, socket, head, protocols));
}

/** Waits for the streams, which the client opens one by one; undefined when it goes before. */
async function spdyStreams(transport: Duplex, wanted: Wanted): Promise<CommandStreams | undefined> {
  const names = ['error', ...(['stdin', 'stdout', 'stderr'] as const).filter((name) => wanted[name])];
  if (wanted.tty) names.push('resize');
  const streams: Record<string, SpdyStream> = {};
  let gone = Promise.resolve();
  await new Promise<void>((resolve) => {
    gone = serveSpdy(transport, (stream) => {
      streams[stream.headers.streamtype ?? ''] = stream;
      if (names.every((name) => streams[name])) resolve();
    }).finally(resolve);
  });
  const { stdin, stdout, stderr, error, resize } = streams;
  // The client closes the connection when it has read the status.
  return error && { stdin, stdout, stderr, error, resize, gone, close: () => undefined };
}

/** Carries everything both ways until the command has ended, then says how. */
async function relay(
  request: IncomingMessage,
  streams: CommandStreams,
  running: Running,
  wanted: Wanted,
): Promise<void> {
  if (wanted.stdin && streams.stdin) feed(streams.stdin, running.stdin);
  if (wanted.tty && streams.resize) followSize(streams.resize, running).catch(() => undefined);
  const [status] = await Promise.all([
    running.exited.then((code) => toStatus(request, code), toFailure),
    carry(running.stdout, wanted.stdout ? streams.stdout : undefined),
    carry(running.stderr, wanted.stderr ? streams.stderr : undefined),
  ]);
  streams.error.end(JSON.stringify(status));
  await finished(streams.error, { readable: false }).catch(() => undefined);
  // What the client still sends is for no one, but behind it comes its goodbye.
  streams.stdin?.destroy();
  streams.close();
}

/** Input that the command does not take is thrown away. */
function feed(from: Readable, to: Writable | undefined): void {
  if (to) pipeline(from, to).catch(() => undefined);
  else from.resume();
}

async function carry(from: Readable | undefined, to: Writable | undefined): Promise<void> {
  if (from && to) return await pipeline(from, to).catch(() => undefined);
  from?.resume();
  to?.end();
}

async function followSize(resize: Readable, running: Running): Promise<void> {
  let text = '';
  for await (const chunk of resize) {
    text += chunk;
    // One may come in pieces, or several at once; each counts: kubectl sends a size and another, to have all drawn anew.
    const sizes = text.match(/\{[^}]*\}/g) ?? [];
    text = text.slice(text.lastIndexOf('}') + 1);
    for (const size of sizes) {
      const { Width, Height } = JSON.parse(size);
      running.resize(Width, Height);
    }
  }
}

/** Why a command could not be started, as the kubelet tells it. */
function toFailure({ message }: Error): object {
  const why = `error executing command in container: failed to exec in container: ${message}`;
  const words = `Internal error occurred: ${why}`;
  const details = { causes: [{ message: why }] };
  return { metadata: {}, status: 'Failure', message: words, reason: 'InternalError', details, code: 500 };
}

function toStatus({ url = '' }: IncomingMessage, code: number): object {
  const { pathname, searchParams } = new URL(url, 'https://pocket');
  // An attached client is not told how the container ended.
  if (code === 0 || pathname.endsWith('/attach')) return { metadata: {}, status: 'Success' };
  const command = searchParams.getAll('command').join(' ');
  const message = `command terminated with non-zero exit code: error executing command [${command}], exit code ${code}`;
  const details = { causes: [{ reason: 'ExitCode', message: String(code) }] };
  return { metadata: {}, status: 'Failure', message, reason: 'NonZeroExitCode', details };
}
