import type { Readable, Writable } from 'node:stream';

/** A process in a container, as exec and attach connect to it. */
export interface Running {
  /** undefined when the container takes no input. */
  stdin?: Writable | undefined;
  stdout: Readable;
  /** undefined with a terminal, on which all output is one stream. */
  stderr?: Readable | undefined;
  /** The size of its terminal, in characters. */
  resize(columns: number, rows: number): void;
  /** Resolves with the exit code once it has ended and its output is complete; rejects when it could not be started. */
  exited: Promise<number>;
  /** Ends an exec'd process whose caller has gone; for attach it only lets go. */
  release(): void;
}
