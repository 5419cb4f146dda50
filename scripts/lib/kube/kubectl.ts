import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { captured$ } from '../util/child.ts';
import { UserError } from '../util/error.ts';

/** kubectl's own flags: the cluster, the user and the namespace. */
export interface Connection {
  context?: string | undefined;
  kubeconfig?: string | undefined;
  as?: string | undefined;
  namespace?: string | undefined;
}

export function toConnection(values: Connection): Connection {
  const { namespace, context, kubeconfig, as } = values;
  return { namespace, context, kubeconfig, as };
}

export type PatchType = 'strategic' | 'merge' | 'json';

/** The message of a KubectlError when kubectl prints none. */
export const SILENT = 'kubectl failed without a message';

/** kubectl failed. The message is kubectl's; `reason` is that of the API: NotFound, Conflict, Forbidden … */
export class KubectlError extends UserError {
  readonly reason: string | undefined;

  constructor(stderr: string) {
    const lines = stderr
      .split('\n')
      .filter((line) => line.trim() && !/^(W\d{4} |Warning:|I\d{4} |E\d{4} )/.test(line));
    super(lines.join('\n') || stderr.trim() || SILENT);
    this.reason = /^Error from server \((\w+)\)/m.exec(stderr)?.[1];
  }
}

/** A little less than MAX_ARG_STRLEN of Linux (128 KiB), in bytes. */
const MAX_ARGUMENT = 120_000;
/** How often a read is tried while the API server is not available. */
const READ_TRIES = 6;
/** The time between these tries, in ms. */
const READ_AGAIN_MS = 1000;

/** Whether the API server is only unavailable for a while. */
function isPassing(error: unknown): boolean {
  const reasons = ['ServiceUnavailable', 'TooManyRequests', 'ServerTimeout', 'Timeout'];
  return error instanceof KubectlError && reasons.includes(error.reason ?? '');
}

/** Runs kubectl. Nothing else starts it. */
export class Kubectl {
  readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** The same cluster, in another namespace. */
  in(namespace: string): Kubectl {
    return new Kubectl({ ...this.connection, namespace });
  }

  /** The whole command line. */
  argv(args: string[]): string[] {
    const { context, kubeconfig, as, namespace } = this.connection;
    return [
      'kubectl',
      ...(kubeconfig ? [`--kubeconfig=${kubeconfig}`] : []),
      ...(context ? [`--context=${context}`] : []),
      ...(as ? [`--as=${as}`] : []),
      ...(namespace ? [`--namespace=${namespace}`] : []),
      ...args,
    ];
  }

  /**
   * Runs kubectl to its end and returns its stdout.
   * @throws KubectlError with kubectl's message; the signal's reason when the signal ends kubectl.
   */
  async run(args: string[], options: { signal?: AbortSignal } = {}): Promise<string> {
    options.signal?.throwIfAborted();
    const child = captured$`${this.argv(args)}`;
    const stop = () => endGroup(child.pid);
    options.signal?.addEventListener('abort', stop);
    const { exitCode, stdout, stderr } = await child;
    options.signal?.removeEventListener('abort', stop);
    options.signal?.throwIfAborted();
    if (exitCode === 127 && /not found/.test(stderr)) {
      throw new UserError('kubectl is not on the PATH', { hint: 'https://kubernetes.io/docs/tasks/tools/' });
    }
    if (exitCode !== 0) throw new KubectlError(stderr || stdout);
    return stdout;
  }

  /** Reads an object. Retries for some seconds while the API server is overloaded or restarts. */
  async get<T>(args: string[], options: { signal?: AbortSignal } = {}): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return JSON.parse(await this.run(['get', ...args, '-o', 'json'], options)) as T;
      } catch (error) {
        if (!isPassing(error) || tries === READ_TRIES) throw error;
        await sleep(READ_AGAIN_MS);
      }
    }
  }

  /** As get, but undefined when there is no such object. */
  async find<T>(args: string[]): Promise<T | undefined> {
    try {
      return await this.get<T>(args);
    } catch (error) {
      if (error instanceof KubectlError && error.reason === 'NotFound') return undefined;
      throw error;
    }
  }

  async list<T>(args: string[], options: { signal?: AbortSignal } = {}): Promise<T[]> {
    return (await this.get<{ items: T[] }>(args, options)).items;
  }

  /** Patches one object, `kind/name`, and returns the patched object. */
  async patch<T>(
    object: string,
    type: PatchType,
    patch: unknown,
    options: { dryRun?: boolean } = {},
  ): Promise<T> {
    // Flux reverts changes of kubectl's default field manager.
    const args = ['patch', object, `--type=${type}`, '--field-manager=mittens', '-o', 'json'];
    if (options.dryRun) args.push('--dry-run=server');
    const text = JSON.stringify(patch);
    // Older versions of kubectl have no --patch-file; Linux allows no longer arguments.
    if (Buffer.byteLength(text) < MAX_ARGUMENT)
      return JSON.parse(await this.run([...args, '--patch', text])) as T;
    return await withFile(
      text,
      async (file) => JSON.parse(await this.run([...args, '--patch-file', file])) as T,
    );
  }

  /** Sends an object to an API path that kubectl has no command for. */
  async send(verb: 'create' | 'replace', path: string, object: unknown): Promise<void> {
    await withFile(JSON.stringify(object), async (file) => await this.run([verb, '--raw', path, '-f', file]));
  }

  /** Starts kubectl on the user's terminal. */
  onTerminal(args: string[]): ChildProcess {
    const [command = '', ...rest] = this.argv(args);
    return spawn(command, rest, { stdio: 'inherit' });
  }

  /** Starts kubectl with its stdout as a stream. */
  stream(args: string[]): ChildProcess {
    const [command = '', ...rest] = this.argv(args);
    return spawn(command, rest, { stdio: ['ignore', 'pipe', 'ignore'] });
  }

  /** Starts kubectl with stdin, stdout and stderr as streams. Ctrl-C does not reach it; it ends with this process. */
  follow(args: string[]): ChildProcessByStdio<Writable, Readable, Readable> {
    const [command = '', ...rest] = this.argv(args);
    const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    // kubectl may end before we write.
    child.stdin.on('error', () => undefined);
    const stop = () => endGroup(child.pid);
    process.once('exit', stop);
    child.once('close', () => process.off('exit', stop));
    return child;
  }

  /** The namespace that kubectl would use. */
  async namespace(): Promise<string> {
    if (this.connection.namespace) return this.connection.namespace;
    const jsonpath = 'jsonpath={.contexts[0].context.namespace}';
    return (await this.run(['config', 'view', '--minify', '-o', jsonpath])) || 'default';
  }
}

/** Writes a text to a file that only this user can read, and removes the file after use. */
async function withFile<T>(text: string, use: (file: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'mittens-'));
  try {
    const file = join(folder, 'object.json');
    writeFileSync(file, text, { mode: 0o600 });
    return await use(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid) process.kill(-pid, 'SIGTERM');
  } catch {
    // The process has already ended.
  }
}
