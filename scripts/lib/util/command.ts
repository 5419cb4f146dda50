import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Interrupted } from './error.ts';

/** A command that the user gave, on the user's terminal. */
export class Command {
  readonly #ended = new AbortController();
  readonly #child: ReturnType<typeof spawn>;

  /** As in shells: 128 plus the number of the signal that killed it; 127 or 126 when it could not be started. */
  readonly exitCode: Promise<number>;

  /** @param options.ownStdout whether it may use stdout; otherwise its output goes to stderr. */
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

  /** Aborts when the command has ended. The reason is a text that says how. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Forwards the signal that ended us. Ctrl-C in a terminal has already reached the command. */
  pass({ signal }: Interrupted): void {
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    this.#child.kill(signal);
  }
}
