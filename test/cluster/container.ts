import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs';
import { constants as osConstants } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { PassThrough, type Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Image } from './image.ts';
import { PATH } from './launch.ts';
import { Log } from './log.ts';
import type { Sandbox } from './network.ts';
import { now } from './object.ts';
import { layOut } from './root.ts';
import type { Running } from './running.ts';
import type { Mount } from './volume.ts';

export interface ContainerOptions {
  sandbox: Sandbox;
  image: Image;
  /** The image's own when it is empty. */
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
}

/** How a container ended; reason and message only when it could not start. */
export interface Exit {
  exitCode: number;
  startedAt: string;
  finishedAt: string;
  reason?: string;
  message?: string;
}

type Signal = 'SIGTERM' | 'SIGKILL';

const SCRIPT = fileURLToPath(new URL('container.sh', import.meta.url));

/** A container: a process that is the first of namespaces of its own, and all that it starts. */
export interface Container {
  log: Log;
  exited: Promise<Exit>;
  /** Sends a signal to its first process, which has to have a handler for it, or it is SIGKILL. */
  signal(signal: Signal): void;
  /** Its terminal, or its standard streams, from now on. */
  attach(): Running;
  /** Starts another process in it. */
  exec(command: string[], options: { tty: boolean; stdin: boolean }): Promise<Running>;
}

/** Starts a container in a pod's network. It always returns one; one that can't be started has ended. */
export async function startContainer(options: ContainerOptions): Promise<Container> {
  const command = commandOf(options);
  const missing = whyNot(command[0] ?? '', options.env.PATH ?? pathOf(options.image), options.mounts);
  if (missing) return unstarted(missing);
  const folder = `/run/pocket/containers/${randomUUID()}`;
  mkdirSync(folder, { recursive: true });
  const fstab = layOut(folder, options.image.folders, options.mounts);
  const { namespace } = options.sandbox;
  const line = [
    ...(namespace ? ['nsenter', `--net=${namespace}`] : []),
    ...['unshare', '--mount', '--pid', '--uts', '--fork', '--kill-child'],
    ...['sh', SCRIPT, ...withEnvironment(options, command, options.tty)],
  ];
  const child = startProcess(onTerminal(line, options.tty), {
    PATH,
    POCKET_FSTAB: fstab,
    POCKET_ROOT: join(folder, 'root'),
    POCKET_HOSTNAME: options.hostname,
    POCKET_DIR: options.workingDir ?? '/',
    POCKET_USER: String(options.runAsUser),
    POCKET_GROUP: String(options.runAsGroup),
  });
  const ended = endOf(child).finally(() => rmSync(folder, { recursive: true, force: true }));
  const trouble = await Promise.race([readiness(child), ended.then((code) => `it ended with ${code}`)]);
  if (trouble !== undefined) return unstarted(`the pocket cluster cannot make the container: ${trouble}`);
  return new RunningContainer(child, ended, options);
}

/** A container whose first process runs. */
class RunningContainer implements Container {
  readonly log = new Log();
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #options: ContainerOptions;
  readonly #viewers = new Set<{ stdout: PassThrough; stderr: PassThrough | undefined }>();
  /** Its first process, by the number that it has for us. */
  readonly #pid: number | undefined;
  #over = false;
  #killed = false;

  constructor(child: ChildProcess, ended: Promise<number>, options: ContainerOptions) {
    this.#child = child;
    this.#options = options;
    this.#pid = firstBelow(child.pid ?? 0);
    // On a terminal, script(1) would type a ^D.
    if (!options.stdin && !options.tty) child.stdin?.end();
    child.stdin?.on('error', () => undefined);
    for (const source of ['stdout', 'stderr'] as const)
      child[source]?.on('data', (chunk: Buffer) => this.#say(source, chunk));
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
    // A number that is free again might be another's.
    if (!this.#pid || this.#over) return;
    this.#killed ||= signal === 'SIGKILL';
    tryKill(this.#pid, signal);
  }

  attach(): Running {
    const { tty, stdin } = this.#options;
    const viewer = { stdout: new PassThrough(), stderr: tty ? undefined : new PassThrough() };
    this.#viewers.add(viewer);
    const child = this.#child;
    return {
      ...viewer,
      // What one viewer closes stays open for the others.
      stdin: stdin
        ? new Writable({
            write: (chunk, _, done) =>
              child.stdin?.write(chunk)
                ? done()
                : once(child.stdin as Writable, 'drain').then(() => done(), done),
          })
        : undefined,
      resize: resizer(child),
      exited: this.exited.then(({ exitCode }) => exitCode),
      release: () => {
        this.#viewers.delete(viewer);
        child.stdout?.resume();
        child.stderr?.resume();
      },
    };
  }

  async exec(command: string[], { tty, stdin }: { tty: boolean; stdin: boolean }): Promise<Running> {
    const { runAsUser, image, env, mounts } = this.#options;
    const missing = whyNot(command[0] ?? '', env.PATH ?? pathOf(image), mounts);
    if (missing) return failed(missing);
    const line = [
      ...['nsenter', `--target=${this.#pid}`, '--mount', '--pid', '--net', '--uts', '--'],
      // Its user namespace is the last to enter: it has no rights over the others.
      ...(runAsUser === 0 ? [] : ['nsenter', '--user=/proc/1/ns/user', '--preserve-credentials', '--']),
      ...['env', '-C', this.#options.workingDir ?? '/'],
      // The terminal is made in there: job control needs a session whose numbers are of that pid namespace.
      ...onTerminal(withEnvironment(this.#options, command, tty), tty),
    ];
    const child = startProcess(line, { PATH });
    child.stdin?.on('error', () => undefined);
    if (!stdin && !tty) child.stdin?.end();
    return {
      stdin: stdin && child.stdin ? child.stdin : undefined,
      stdout: child.stdout as Readable,
      stderr: tty ? undefined : (child.stderr as Readable),
      resize: resizer(child),
      exited: endOf(child),
      release: () => {
        child.stdin?.destroy();
        child.stdout?.destroy();
        child.stderr?.destroy();
        if (child.exitCode !== null || child.signalCode !== null) return;
        const process = firstBelow(child.pid ?? 0);
        // Whoever started it ends with it, and must be there to reap it.
        if (process) tryKill(process, 'SIGKILL');
        else child.kill('SIGHUP');
      },
    };
  }

  #say(source: 'stdout' | 'stderr', chunk: Buffer): void {
    this.log.write(source, chunk);
    for (const viewer of this.#viewers) {
      const stream = viewer[source] ?? viewer.stdout;
      if (stream.write(chunk)) continue;
      this.#child[source]?.pause();
      stream.once('drain', () => this.#child[source]?.resume());
    }
  }
}

// -- processes

/** A command line on a terminal of its own, if it is to have one. */
function onTerminal(line: string[], tty: boolean): string[] {
  // script(1) makes the terminal: its size is 0x0 until someone attaches, as on Kubernetes.
  return tty
    ? ['env', 'SHELL=/bin/sh', 'script', '-qefc', `exec ${line.map(quote).join(' ')}`, '/dev/null']
    : line;
}

/** Starts a command line; descriptor 3 is for its first words to us. */
function startProcess([command = '', ...args]: string[], env: Record<string, string>): ChildProcess {
  return spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe', 'pipe'], env, cwd: '/' });
}

/** Waits until a container's first process is about to become its command; resolves with what went wrong, if so. */
function readiness(child: ChildProcess): Promise<string | undefined> {
  let words = '';
  const output = child.stdio[3] as Readable;
  return new Promise((resolve) => {
    output.on('data', (data) => {
      words += data;
      if (words.endsWith('ready\n')) resolve(undefined);
    });
    output.on('end', () => resolve(words.trim() || 'it ended without a word'));
  });
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** The exit code of a process, when its output is complete: 128 and the signal's number for a signal. */
async function endOf(child: ChildProcess): Promise<number> {
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.once('exit', (...how) => {
      // What it has left running may hold its output open for ever: when that is quiet, it is taken as complete.
      const late = setTimeout(() => resolve(how), 1000);
      for (const output of [child.stdout, child.stderr]) output?.on('data', () => late.refresh());
      child.once('close', () => {
        clearTimeout(late);
        resolve(how);
      });
    });
    child.once('error', () => resolve([126, null]));
  });
  return code ?? 128 + (signal ? osConstants.signals[signal] : 0);
}

/** The first process below one that is in a pid namespace further down. */
function firstBelow(pid: number): number | undefined {
  const depth = (process: number) =>
    /^NSpid:\s+(.*)$/m.exec(read(`/proc/${process}/status`))?.[1]?.split(/\s+/).length ?? 0;
  for (const child of childrenOf(pid)) {
    const found = depth(child) > depth(pid) ? child : firstBelow(child);
    if (found) return found;
  }
  return undefined;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function tryKill(pid: number, signal: Signal): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** Returns what sets the size of a process's terminal, one size after the other; whoever is on it gets a SIGWINCH. */
function resizer(child: ChildProcess): (columns: number, rows: number) => void {
  let last: Promise<unknown> = Promise.resolve();
  return (columns, rows) => {
    last = last.then(async () => await resize(child, columns, rows)).catch(() => undefined);
  };
}

async function resize(child: ChildProcess, columns: number, rows: number): Promise<void> {
  // A client tells its size at once, when the terminal may not be there yet.
  for (let tries = 0; tries < 100 && child.exitCode === null; tries++) {
    const terminal = terminalBelow(child.pid ?? 0);
    if (terminal) {
      const size = ['-F', terminal, 'rows', String(rows), 'cols', String(columns)];
      await once(spawn('stty', size, { stdio: 'ignore' }), 'exit');
      return;
    }
    await sleep(20);
  }
}

/** The terminal on which the first of the processes below one is that has any. */
function terminalBelow(pid: number): string | undefined {
  for (const child of childrenOf(pid)) {
    const own = link(`/proc/${child}/fd/0`);
    const found = own.startsWith('/dev/pts/') ? own : terminalBelow(child);
    if (found) return found;
  }
  return undefined;
}

function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

// -- commands

function commandOf({ image, command, args }: ContainerOptions): string[] {
  const program = command.length > 0 ? command : args.length > 0 ? [] : image.command;
  return [...program, ...args];
}

function pathOf({ path }: Image): string {
  return [...path, PATH].join(':');
}

function withEnvironment({ env, image }: ContainerOptions, command: string[], tty: boolean): string[] {
  const all = { PATH: pathOf(image), HOME: '/root', ...(tty && { TERM: 'xterm' }), ...env };
  return ['env', '-i', ...Object.entries(all).map(([name, value]) => `${name}=${value}`), ...command];
}

/** Why a program can't be run, in runc's words. */
function whyNot(program: string, path: string, mounts: Mount[]): string | undefined {
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

function unstarted(why: string): Container {
  const log = new Log();
  log.end();
  const exit = {
    exitCode: 128,
    reason: 'StartError',
    message: `${RUNC}${why}: unknown`,
    // It never did.
    startedAt: '1970-01-01T00:00:00Z',
    finishedAt: now(),
  };
  return {
    log,
    exited: Promise.resolve(exit),
    signal: () => undefined,
    attach: () => failed(why),
    exec: async () => failed(why),
  };
}

/** A process that could not be started. */
function failed(why: string): Running {
  const stdout = new PassThrough();
  stdout.end();
  const error = new Error(
    `OCI runtime exec failed: exec failed: unable to start container process: ${why}: unknown`,
  );
  const exited = Promise.reject(error);
  exited.catch(() => undefined);
  return { stdout, resize: () => undefined, exited, release: () => undefined };
}
