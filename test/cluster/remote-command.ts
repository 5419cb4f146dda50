import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import type { Duplex, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Running } from './running.ts';
import { notDone } from './status.ts';
import { acceptWebSocket, channelsOf, wantsWebSocket } from './websocket.ts';

/** Which streams a client of exec or attach asks for. */
export interface Wanted {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

/** The client's ends of the streams, whatever protocol carries them. */
interface Caller {
  stdin?: Readable | undefined;
  stdout?: Writable | undefined;
  stderr?: Writable | undefined;
  /** Takes the outcome, as a Status. */
  error: Writable;
  /** Lines of JSON: the sizes of the terminal. */
  resize?: Readable | undefined;
  /** Resolves when the connection has ended, by either side. */
  gone: Promise<unknown>;
  /** Ends the connection once all that is written has been sent. */
  close(): void;
}

/** Connects a client of exec or attach to a process, until the process ends or the client goes. */
export async function serveRunning(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  running: Running,
  wanted: Wanted,
): Promise<void> {
  try {
    const caller = await accept(request, socket, head, wanted);
    await Promise.race([caller.gone, converse(caller, running, isAttach(request))]);
    await caller.gone;
  } finally {
    running.release();
  }
}

async function accept(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  wanted: Wanted,
): Promise<Caller> {
  if (wantsWebSocket(request)) return await acceptChannels(request, socket, head, wanted);
  throw notDone(`upgrades to ${request.headers.upgrade}`);
}

async function acceptChannels(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  { stdin, stdout, stderr, tty }: Wanted,
): Promise<Caller> {
  const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
  const webSocket = await acceptWebSocket(request, socket, head, protocols);
  const gone = once(webSocket, 'close');
  const { input, output } = channelsOf(webSocket);
  // An empty message tells the client that the streams are up.
  webSocket.send(Buffer.of(stdout ? 1 : stderr ? 2 : 3));
  return {
    stdin: stdin ? input(0) : undefined,
    stdout: stdout ? output(1) : undefined,
    stderr: stderr && !tty ? output(2) : undefined,
    error: output(3),
    resize: tty ? input(4) : undefined,
    gone,
    close: () => {
      webSocket.resume();
      webSocket.close(1000);
    },
  };
}

async function converse(caller: Caller, running: Running, isAttach: boolean): Promise<void> {
  feed(caller, running).catch(() => undefined);
  if (caller.resize) resize(caller.resize, running).catch(() => undefined);
  await Promise.all([carry(running.stdout, caller.stdout), carry(running.stderr, caller.stderr)]);
  const code = await running.exited;
  caller.stdin?.destroy();
  caller.error.end(JSON.stringify(statusOf(isAttach ? 0 : code)), caller.close);
}

/** A process may stop to listen long before its client stops to speak: the rest is thrown away. */
async function feed({ stdin }: Caller, running: Running): Promise<void> {
  if (!stdin) return;
  if (running.stdin) await pipeline(stdin, running.stdin).catch(() => undefined);
  stdin.resume();
}

async function carry(from: Readable | undefined, to: Writable | undefined): Promise<void> {
  if (from && to) await pipeline(from, to).catch(() => undefined);
  else from?.resume();
  to?.end();
}

async function resize(sizes: Readable, running: Running): Promise<void> {
  for await (const line of createInterface({ input: sizes })) {
    const { Width, Height } = JSON.parse(line);
    running.resize(Width, Height);
  }
}

/** Attach tells only that it worked; how the container ended stands in the pod's status. */
function isAttach(request: IncomingMessage): boolean {
  return new URL(request.url ?? '/', 'https://pocket').pathname.endsWith('/attach');
}

function statusOf(code: number): object {
  if (code === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: `${code}` }] },
  };
}
