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

/** A process outside of a container, that becomes one or goes into one. */
export interface Process {
  child: ChildProcess;
  /** undefined when its input is empty. */
  stdin: Writable | undefined;
  stdout: Readable;
  stderr: Readable;
  /** What it writes to descriptor 3, if it has one. */
  words: Readable | undefined;
  /** Resolves with its exit code, when its output is complete: 128 and the signal's number for a signal. */
  ended: Promise<number>;
}

/** Starts a command line, which has descriptor 3 when it has words for us. */
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
  // What it has left running holds its output open, as on Kubernetes.
  const ended = Promise.all([waitForCode(child), once(stdout, 'close'), once(stderr, 'close')]);
  // It may end before it has read all.
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
 * Two pipes for output. Those that Node makes are sockets, which nobody can open by the name of /dev/stdout. For input
 * they must do: whoever opens a named pipe that has been written to its end would wait for ever.
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
  // One end waits for the other, but not who opens both at once.
  const both = openSync(path, constants.O_RDWR);
  const pipe = { reader: openSync(path, constants.O_RDONLY), writer: openSync(path, constants.O_WRONLY) };
  closeSync(both);
  return pipe;
}

/** A command line on a terminal of its own, if it is to have one. */
export function onTerminal(line: string[], tty: boolean): string[] {
  // script(1) makes the terminal: its size is 0x0 until someone attaches, as on Kubernetes.
  return tty
    ? ['env', 'SHELL=/bin/sh', 'script', '-qefc', `exec ${line.map(quote).join(' ')}`, '/dev/null']
    : line;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** The numbers that a process has, from our pid namespace down to its own. */
function readNumbers(pid: number): number[] {
  const [, numbers] = /^NSpid:\s+(.*)$/m.exec(read(`/proc/${pid}/status`)) ?? [];
  return numbers?.split(/\s+/).map(Number) ?? [];
}

/** The number that a process has in its own pid namespace. */
export function innerNumber(pid: number): number | undefined {
  return readNumbers(pid).at(-1);
}

/** The first process below one that is in a pid namespace further down. */
export function firstBelow(pid: number): number | undefined {
  const depth = (process: number) => readNumbers(process).length;
  for (const child of listChildren(pid)) {
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

export function tryKill(pid: number, signal: Signal): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** Returns what sets the size of a process's terminal, one size after the other; whoever is on it gets a SIGWINCH. */
export function resizer(child: ChildProcess): (columns: number, rows: number) => void {
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
  for (const child of listChildren(pid)) {
    const own = link(`/proc/${child}/fd/0`);
    const found = own.startsWith('/dev/pts/') ? own : terminalBelow(child);
    if (found) return found;
  }
  return undefined;
}

function listChildren(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
