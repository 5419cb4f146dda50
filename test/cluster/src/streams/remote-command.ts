import type { IncomingMessage } from 'node:http';
import { type Duplex, PassThrough, type Readable, type Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import type { Running } from '../containers/running.ts';
import type { CommandStreams } from './command-streams.ts';
import { acceptSpdy, type SpdyStream, serveSpdy } from './spdy.ts';
import { acceptWebSocket, asksForWebSocket, openChannels } from './websocket.ts';

/** The streams that the client asked for. */
export interface Wanted {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

/**
 * Connects a client to a command, for `kubectl exec` and `attach`, until either ends.
 * @throws StatusError: NotImplemented when the client offers no known protocol.
 */
export async function serveRunning(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  running: Running,
  wanted: Wanted,
): Promise<void> {
  // Node drops unread output of a child that has ended, and a client may be slow to open its streams.
  const stdout = buffer(running.stdout);
  const stderr = running.stderr && buffer(running.stderr);
  try {
    // A terminal has a single output.
    const asked = { ...wanted, stderr: wanted.stderr && !wanted.tty };
    const streams = await accept(request, socket, head, asked);
    if (!streams) return;
    await Promise.race([streams.gone, relay(request, streams, { ...running, stdout, stderr }, asked)]);
    await streams.gone;
  } finally {
    running.release();
  }
}

function buffer(output: Readable): Readable {
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

/** Waits until the client has opened all streams; undefined if it disconnects before. */
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
  // The client closes the connection after it has read the status.
  return error && { stdin, stdout, stderr, error, resize, gone, close: () => undefined };
}

/** Copies all streams until the command has ended, then sends its status. */
async function relay(
  request: IncomingMessage,
  streams: CommandStreams,
  running: Running,
  wanted: Wanted,
): Promise<void> {
  if (wanted.stdin && streams.stdin) copyInput(streams.stdin, running.stdin);
  if (wanted.tty && streams.resize) followSize(streams.resize, running).catch(() => undefined);
  const [status] = await Promise.all([
    running.exited.then((code) => toStatus(request, code), toFailure),
    copyOutput(running.stdout, wanted.stdout ? streams.stdout : undefined),
    copyOutput(running.stderr, wanted.stderr ? streams.stderr : undefined),
  ]);
  streams.error.end(JSON.stringify(status));
  await finished(streams.error, { readable: false }).catch(() => undefined);
  // Further input is dropped, but must be read to get to the client's close.
  streams.stdin?.destroy();
  streams.close();
}

/** Copies input; drops it if the command takes none. */
function copyInput(from: Readable, to: Writable | undefined): void {
  if (to) pipeline(from, to).catch(() => undefined);
  else from.resume();
}

async function copyOutput(from: Readable | undefined, to: Writable | undefined): Promise<void> {
  if (from && to) return await pipeline(from, to).catch(() => undefined);
  from?.resume();
  to?.end();
}

async function followSize(resize: Readable, running: Running): Promise<void> {
  let text = '';
  for await (const chunk of resize) {
    text += chunk;
    // A size may come in pieces, or several at once. None is skipped: kubectl sends two to force a redraw.
    const sizes = text.match(/\{[^}]*\}/g) ?? [];
    text = text.slice(text.lastIndexOf('}') + 1);
    for (const size of sizes) {
      const { Width, Height } = JSON.parse(size);
      running.resize(Width, Height);
    }
  }
}

/** The Status of a command that could not start, as the kubelet words it. */
function toFailure({ message }: Error): object {
  const why = `error executing command in container: failed to exec in container: ${message}`;
  const words = `Internal error occurred: ${why}`;
  const details = { causes: [{ message: why }] };
  return { metadata: {}, status: 'Failure', message: words, reason: 'InternalError', details, code: 500 };
}

function toStatus({ url = '' }: IncomingMessage, code: number): object {
  const { pathname, searchParams } = new URL(url, 'https://pocket');
  // `attach` does not report the container's exit code.
  if (code === 0 || pathname.endsWith('/attach')) return { metadata: {}, status: 'Success' };
  const command = searchParams.getAll('command').join(' ');
  const message = `command terminated with non-zero exit code: error executing command [${command}], exit code ${code}`;
  const details = { causes: [{ reason: 'ExitCode', message: String(code) }] };
  return { metadata: {}, status: 'Failure', message, reason: 'NonZeroExitCode', details };
}
