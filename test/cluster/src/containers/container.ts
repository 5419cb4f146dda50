import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Sandbox } from '../network/sandbox.ts';
import { now } from '../objects/object.ts';
import type { Image } from './image.ts';
import { Log } from './log.ts';
import {
  findFirstDescendant,
  makeResizer,
  type Process,
  readInnerPid,
  type Signal,
  startProcess,
  tryKill,
  wrapInTerminal,
} from './process.ts';
import type { Mount } from './root.ts';
import { prepareRoot } from './root.ts';
import type { Running } from './running.ts';
import { PATH } from './system-path.ts';

export interface ContainerOptions {
  sandbox: Sandbox;
  image: Image;
  /** Empty for the image's own command. */
  command: string[];
  args: string[];
  env: Record<string, string>;
  workingDir?: string | undefined;
  tty: boolean;
  stdin: boolean;
  runAsUser: number;
  runAsGroup: number;
  mounts: Mount[];
  hostname: string;
  /** The container whose pid namespace it shares; without one it has its own. */
  target?: Container | undefined;
}

/** How a container ended; it has a reason and a message only if it could not start. */
interface Exit {
  exitCode: number;
  startedAt: string;
  finishedAt: string;
  reason?: string;
  message?: string;
}

const SCRIPT = fileURLToPath(new URL('container.sh', import.meta.url));

/** A container: the first process of new namespaces, and all its children. */
export interface Container {
  log: Log;
  /** Its first process, as a pid of the pocket cluster's namespace; undefined if it did not start. */
  pid: number | undefined;
  exited: Promise<Exit>;
  /** Signals its first process. As pid 1 it gets only signals that it handles, and SIGKILL. */
  signal(signal: Signal): void;
  /** Connects to its terminal, or its standard streams, from now on. */
  attach(): Running;
  /** Starts another process in the container. */
  exec(command: string[], options: { tty: boolean; stdin: boolean }): Promise<Running>;
}

/** Starts a container in a pod's network. If it cannot start, the container returned has already ended. */
export async function startContainer(options: ContainerOptions): Promise<Container> {
  const command = chooseCommand(options);
  const missing = findStartError(
    command[0] ?? '',
    options.env.PATH ?? formatPath(options.image),
    options.mounts,
  );
  if (missing) return makeFailedContainer(missing);
  const folder = `/run/pocket/containers/${randomUUID()}`;
  mkdirSync(folder, { recursive: true });
  const fstab = prepareRoot(folder, options.image.folders, options.mounts);
  const line = [
    ...enterNamespaces(options),
    ...['sh', SCRIPT, ...withEnvironment(options, command, options.tty)],
  ];
  const environment = {
    PATH,
    POCKET_FSTAB: fstab,
    POCKET_ROOT: join(folder, 'root'),
    POCKET_HOSTNAME: options.hostname,
    POCKET_DIR: options.workingDir ?? '/',
    POCKET_USER: String(options.runAsUser),
    POCKET_GROUP: String(options.runAsGroup),
  };
  // script(1) types ^D when its input ends, so a terminal's input stays open.
  const stdin = options.stdin || options.tty;
  const process = await startProcess(wrapInTerminal(line, options.tty), environment, { stdin, words: true });
  const ended = process.ended.finally(() => rmSync(folder, { recursive: true, force: true }));
  const trouble = await Promise.race([
    waitUntilReady(process),
    ended.then((code) => `it ended with ${code}`),
  ]);
  if (trouble !== undefined) {
    // The process counts as ended only when its output has been read.
    for (const output of [process.stdout, process.stderr]) output.resume();
    return makeFailedContainer(`the pocket cluster cannot make the container: ${trouble}`);
  }
  return new RunningContainer(process, ended, options);
}

/** The start of a command line that runs in a container's namespaces. */
function enterNamespaces({ sandbox: { namespace }, target }: ContainerOptions): string[] {
  const joined = [
    ...(namespace ? [`--net=${namespace}`] : []),
    ...(target ? [`--pid=/proc/${target.pid}/ns/pid`] : []),
  ];
  return [
    ...(joined.length > 0 ? ['nsenter', ...joined] : []),
    ...['unshare', '--mount', '--uts'],
    // nsenter forks by itself when it joins a pid namespace.
    ...(target ? [] : ['--pid', '--fork', '--kill-child']),
  ];
}

/** A container whose first process runs. */
class RunningContainer implements Container {
  readonly log = new Log();
  readonly exited: Promise<Exit>;
  readonly #process: Process;
  readonly #options: ContainerOptions;
  readonly #viewers = new Set<{ stdout: PassThrough; stderr: PassThrough | undefined }>();
  readonly pid: number | undefined;
  #over = false;
  #killed = false;

  constructor(process: Process, ended: Promise<number>, options: ContainerOptions) {
    this.#process = process;
    this.#options = options;
    this.pid = findFirstDescendant(process.child.pid ?? 0);
    for (const source of ['stdout', 'stderr'] as const)
      process[source].on('data', (chunk: Buffer) => this.#say(source, chunk));
    const startedAt = now();
    this.exited = ended.then((code) => {
      // unshare(1) ends with 1 when its child was killed.
      const exitCode = this.#killed ? 137 : code;
      this.#over = true;
      this.log.end();
      for (const { stdout, stderr } of this.#viewers) {
        stdout.end();
        stderr?.end();
      }
      return { exitCode, startedAt, finishedAt: now() };
    });
  }

  signal(signal: Signal): void {
    // The pid may belong to another process by now.
    if (!this.pid || this.#over) return;
    this.#killed ||= signal === 'SIGKILL';
    tryKill(this.pid, signal);
  }

  attach(): Running {
    const { tty, stdin } = this.#options;
    const viewer = { stdout: new PassThrough(), stderr: tty ? undefined : new PassThrough() };
    this.#viewers.add(viewer);
    const { child, stdin: input, stdout, stderr } = this.#process;
    return {
      ...viewer,
      // One client's end of input does not close it for the others.
      stdin:
        stdin && input
          ? new Writable({
              write: (chunk, _, done) =>
                input.write(chunk) ? done() : once(input, 'drain').then(() => done(), done),
            })
          : undefined,
      resize: makeResizer(child),
      exited: this.exited.then(({ exitCode }) => exitCode),
      release: () => {
        this.#viewers.delete(viewer);
        stdout.resume();
        stderr.resume();
      },
    };
  }

  async exec(command: string[], { tty, stdin }: { tty: boolean; stdin: boolean }): Promise<Running> {
    const { runAsUser, image, env, mounts } = this.#options;
    const missing = findStartError(command[0] ?? '', env.PATH ?? formatPath(image), mounts);
    if (missing) return makeFailedRun(missing);
    // Inside, its first process is pid 1, unless it shares another container's pid namespace.
    const inner = this.#options.target ? readInnerPid(this.pid ?? 0) : 1;
    const line = [
      ...['nsenter', `--target=${this.pid}`, '--mount', '--pid', '--net', '--uts', '--'],
      // The user namespace is entered last: it has no rights over the other namespaces.
      ...(runAsUser === 0
        ? []
        : ['nsenter', `--user=/proc/${inner}/ns/user`, '--preserve-credentials', '--']),
      ...['env', '-C', this.#options.workingDir ?? '/'],
      // The terminal is made inside: job control needs a session with pids of that namespace.
      ...wrapInTerminal(withEnvironment(this.#options, command, tty), tty),
    ];
    const process = await startProcess(line, { PATH }, { stdin: stdin || tty });
    const { child, stdout, stderr } = process;
    return {
      stdin: stdin ? process.stdin : undefined,
      stdout,
      stderr: tty ? undefined : stderr,
      resize: makeResizer(child),
      exited: process.ended,
      release: () => {
        for (const stream of [process.stdin, stdout, stderr]) stream?.destroy();
        if (child.exitCode !== null || child.signalCode !== null) return;
        const first = findFirstDescendant(child.pid ?? 0);
        // Its parent ends with it, and must stay to reap it.
        if (first) tryKill(first, 'SIGKILL');
        else child.kill('SIGHUP');
      },
    };
  }

  #say(source: 'stdout' | 'stderr', chunk: Buffer): void {
    this.log.write(source, chunk);
    for (const viewer of this.#viewers) {
      const stream = viewer[source] ?? viewer.stdout;
      if (stream.write(chunk)) continue;
      this.#process[source].pause();
      stream.once('drain', () => this.#process[source].resume());
    }
  }
}

/** Waits until a container's first process is about to run its command; resolves with an error's text if it fails. */
function waitUntilReady(process: Process): Promise<string | undefined> {
  let words = '';
  return new Promise((resolve) => {
    process.words?.on('data', (data) => {
      words += data;
      if (words.endsWith('ready\n')) resolve(undefined);
    });
    process.words?.on('end', () => resolve(words.trim() || 'it ended without a word'));
  });
}

// -- commands

function chooseCommand({ image, command, args }: ContainerOptions): string[] {
  const program = command.length > 0 ? command : args.length > 0 ? [] : image.command;
  return [...program, ...args];
}

function formatPath({ path }: Image): string {
  return [...path, PATH].join(':');
}

function withEnvironment({ env, image }: ContainerOptions, command: string[], tty: boolean): string[] {
  const all = { PATH: formatPath(image), HOME: '/root', ...(tty && { TERM: 'xterm' }), ...env };
  return ['env', '-i', ...Object.entries(all).map(([name, value]) => `${name}=${value}`), ...command];
}

/** Why a program cannot be run, as runc words it. */
function findStartError(program: string, path: string, mounts: Mount[]): string | undefined {
  const inVolume = mounts.some(({ target }) => program.startsWith(`${target}/`));
  if (inVolume) return undefined;
  if (program.includes('/')) {
    if (!isAbsolute(program) || isExecutable(program)) return undefined;
    return existsSync(program)
      ? `exec: "${program}": permission denied`
      : `exec: "${program}": stat ${program}: no such file or directory`;
  }
  if (path.split(':').some((folder) => isExecutable(join(folder, program)))) return undefined;
  return `exec: "${program}": executable file not found in $PATH`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

const RUNC =
  'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: ';

function makeFailedContainer(why: string): Container {
  const log = new Log();
  log.end();
  const exit = {
    exitCode: 128,
    reason: 'StartError',
    message: `${RUNC}${why}: unknown`,
    // Kubernetes reports this time for a container that never started.
    startedAt: '1970-01-01T00:00:00Z',
    finishedAt: now(),
  };
  return {
    log,
    pid: undefined,
    exited: Promise.resolve(exit),
    signal: () => undefined,
    attach: () => makeFailedRun(why),
    exec: async () => makeFailedRun(why),
  };
}

/** A process that could not be started. */
function makeFailedRun(why: string): Running {
  const stdout = new PassThrough();
  stdout.end();
  const error = new Error(
    `OCI runtime exec failed: exec failed: unable to start container process: ${why}: unknown`,
  );
  const exited = Promise.reject(error);
  exited.catch(() => undefined);
  return { stdout, resize: () => undefined, exited, release: () => undefined };
}
