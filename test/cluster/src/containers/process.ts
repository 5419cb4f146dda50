import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, constants, mkdirSync, openSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export type Signal = 'SIGTERM' | 'SIGKILL';

/** A process that becomes a container or enters one. */
export interface Process {
  child: ChildProcess;
  /** undefined if it has no input. */
  stdin: Writable | undefined;
  stdout: Readable;
  stderr: Readable;
  /** Its output on descriptor 3, if it has one. */
  words: Readable | undefined;
  /** Resolves with its exit code when its output is complete; 128 plus the number for a signal. */
  ended: Promise<number>;
}

/** Starts a command line; with `words` it gets descriptor 3. */
export async function startProcess(
  [command = '', ...args]: string[],
  env: Record<string, string>,
  { stdin, words = false }: { stdin: boolean; words?: boolean },
): Promise<Process> {
  const [output, errors] = await makePipes();
  const child = spawn(command, args, {
    stdio: [stdin ? 'pipe' : 'ignore', output.writer, errors.writer, ...(words ? ['pipe' as const] : [])],
    env,
    cwd: '/',
  });
  closeSync(output.writer);
  closeSync(errors.writer);
  const stdout = new Socket({ fd: output.reader, readable: true, writable: false });
  const stderr = new Socket({ fd: errors.reader, readable: true, writable: false });
  // Children that outlive it keep its output open, as on Kubernetes.
  const ended = Promise.all([waitForCode(child), once(stdout, 'close'), once(stderr, 'close')]);
  // It may end before it has read all its input.
  child.stdin?.on('error', () => undefined);
  return {
    ...{ child, stdout, stderr, stdin: child.stdin ?? undefined },
    words: child.stdio[3] as Readable | undefined,
    ended: ended.then(([code]) => code),
  };
}

async function waitForCode(child: ChildProcess): Promise<number> {
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.once('exit', (...how) => resolve(how));
    child.once('error', () => resolve([126, null]));
  });
  return code ?? 128 + (signal ? osConstants.signals[signal] : 0);
}

interface Pipe {
  reader: number;
  writer: number;
}

/**
 * Two named pipes for output. Node's own are sockets, which cannot be opened as /dev/stdout. Input uses Node's: opening a
 * named pipe that has already ended would block for ever.
 */
async function makePipes(): Promise<[Pipe, Pipe]> {
  const folder = `/run/pocket/pipes/${randomUUID()}`;
  mkdirSync(folder, { recursive: true });
  const paths = [join(folder, '1'), join(folder, '2')] as const;
  await once(spawn('mkfifo', ['-m', '666', ...paths], { stdio: 'ignore' }), 'exit');
  const pipes: [Pipe, Pipe] = [openPipe(paths[0]), openPipe(paths[1])];
  rmSync(folder, { recursive: true });
  return pipes;
}

function openPipe(path: string): Pipe {
  // Opening one end waits for the other; opening both at once does not.
  const both = openSync(path, constants.O_RDWR);
  const pipe = { reader: openSync(path, constants.O_RDONLY), writer: openSync(path, constants.O_WRONLY) };
  closeSync(both);
  return pipe;
}

/** Wraps a command line so that it runs on its own terminal, if it gets one. */
export function wrapInTerminal(line: string[], tty: boolean): string[] {
  // script(1) makes the terminal. Its size is 0x0 until someone attaches, as on Kubernetes.
  return tty
    ? ['env', 'SHELL=/bin/sh', 'script', '-qefc', `exec ${line.map(quote).join(' ')}`, '/dev/null']
    : line;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** A process's pids, from this pid namespace down to its own. */
function readNumbers(pid: number): number[] {
  const [, numbers] = /^NSpid:\s+(.*)$/m.exec(read(`/proc/${pid}/status`)) ?? [];
  return numbers?.split(/\s+/).map(Number) ?? [];
}

/** A process's pid in its own pid namespace. */
export function readInnerPid(pid: number): number | undefined {
  return readNumbers(pid).at(-1);
}

/** The first descendant in another pid namespace. */
export function findFirstDescendant(pid: number): number | undefined {
  const depth = (process: number) => readNumbers(process).length;
  for (const child of listChildren(pid)) {
    const found = depth(child) > depth(pid) ? child : findFirstDescendant(child);
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

export function tryKill(pid: number, signal: Signal): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has already ended.
  }
}

/** Returns a function that sets the size of a process's terminal, one size at a time; the kernel sends SIGWINCH. */
export function makeResizer(child: ChildProcess): (columns: number, rows: number) => void {
  let last: Promise<unknown> = Promise.resolve();
  return (columns, rows) => {
    last = last.then(async () => await resize(child, columns, rows)).catch(() => undefined);
  };
}

async function resize(child: ChildProcess, columns: number, rows: number): Promise<void> {
  // A client sends its size at once, perhaps before the terminal exists.
  for (let tries = 0; tries < 100 && child.exitCode === null; tries++) {
    const terminal = findTerminal(child.pid ?? 0);
    if (terminal) {
      const size = ['-F', terminal, 'rows', String(rows), 'cols', String(columns)];
      await once(spawn('stty', size, { stdio: 'ignore' }), 'exit');
      return;
    }
    await sleep(20);
  }
}

/** The terminal of the first descendant that has one. */
function findTerminal(pid: number): string | undefined {
  for (const child of listChildren(pid)) {
    const own = readLinkOrEmpty(`/proc/${child}/fd/0`);
    const found = own.startsWith('/dev/pts/') ? own : findTerminal(child);
    if (found) return found;
  }
  return undefined;
}

function listChildren(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

function readLinkOrEmpty(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
