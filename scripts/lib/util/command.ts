import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Interrupted } from './error.ts';

/** A command of the user's, on the user's terminal. */
export class Command {
  readonly #ended = new AbortController();
  readonly #child: ReturnType<typeof spawn>;

  /** As shells have it: 128 and the number of the signal that killed it; 127 and 126 when it could not be started. */
  readonly exitCode: Promise<number>;

  /** @param options.ownStdout otherwise what it prints goes to stderr. */
  constructor([program = '', ...args]: string[], options: { ownStdout: boolean }) {
    this.#child = spawn(program, args, { stdio: ['inherit', options.ownStdout ? 'inherit' : 2, 'inherit'] });
    this.exitCode = new Promise((resolve) => {
      this.#child.once('error', (error: NodeJS.ErrnoException) => {
        this.#ended.abort(`${program} could not be started: ${error.message}`);
        resolve(error.code === 'ENOENT' ? 127 : 126);
      });
      this.#child.once('exit', (code, signal) => {
        this.#ended.abort(`the command has ended`);
        resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
      });
    });
  }

  /** Aborted when it has ended; the reason says so. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Passes on the signal that ended us; a terminal's Ctrl-C has reached it by itself. */
  pass({ signal }: Interrupted): void {
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    this.#child.kill(signal);
  }
}
