import type { Message } from './message.ts';

/** An error that the user can understand and act on: one line, and a hint what to do. */
export class UserError extends Error {
  readonly hint: Message | undefined;
  readonly exitCode: number;

  constructor(message: string, options: { hint?: Message | undefined; exitCode?: number } = {}) {
    super(message);
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** A wrong command line. Exit code 2, as of other Unix tools. */
export class UsageError extends UserError {
  constructor(message: string, hint?: Message) {
    super(message, { hint, exitCode: 2 });
  }
}

/** A signal ended the command. The exit code is 128 plus its number. */
export class Interrupted extends Error {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(signal);
    this.signal = signal;
  }
}

/**
 * An error as a message: a line that begins with `error:`, and a line that begins with `hint:` for each of its hint.
 * @param about the object that it is about, if there are several.
 */
export function describeError({ message, hint = [] }: UserError, about?: string): Message {
  const text = about === undefined ? message : `${about}: ${message}`;
  // kubectl's own errors begin with the word.
  const error = /^error/i.test(text) ? text : `error: ${text}`;
  const parts = typeof hint === 'string' ? [hint] : hint;
  if (parts.length === 0) return error;
  const lines = parts.map((part) => (typeof part === 'string' ? part.replaceAll('\n', '\nhint: ') : part));
  return [`${error}\nhint: `, ...lines];
}
