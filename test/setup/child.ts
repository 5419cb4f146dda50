import { spawn } from 'node:child_process';

/** What a finished program printed. */
export interface Result {
  ok: boolean;
  stdout: string;
  /** The last line that it printed, for a message. */
  lastWords: string;
}

export interface RunOptions {
  signal?: AbortSignal;
  /** Its stdin, which is empty otherwise. */
  input?: string;
  /** A Ctrl-C on the terminal does not reach it. */
  detached?: boolean;
}

/**
 * Runs a program to its end, without a shell and without a terminal.
 * @throws the signal's reason when it is aborted, and the program with it.
 */
export async function run(command: string, args: string[], options: RunOptions = {}): Promise<Result> {
  const { input, ...more } = options;
  const result = await new Promise<Result>((resolve) => {
    const child = spawn(command, args, more);
    const said = { stdout: '', stderr: '' };
    const end = (ok: boolean, otherwise = '') => {
      const words = said.stderr.trim() || said.stdout.trim() || otherwise;
      resolve({ ok, stdout: said.stdout, lastWords: words.split('\n').at(-1) ?? '' });
    };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text) => {
        said[stream] += text;
      });
    child.once('error', ({ message }) => end(false, message)).once('close', (code) => end(code === 0));
    // It may end before it has read all of its input.
    child.stdin.on('error', () => undefined).end(input);
  });
  options.signal?.throwIfAborted();
  return result;
}
