import type { Message } from './message.ts';

/** What went wrong in the user's world, in one line, and what to do about it. */
export class UserError extends Error {
  readonly hint: Message | undefined;
  readonly exitCode: number;

  constructor(message: string, options: { hint?: Message | undefined; exitCode?: number } = {}) {
    super(message);
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** A command line that makes no sense: exit code 2, as with every Unix tool. */
export class UsageError extends UserError {
  constructor(message: string, hint?: Message) {
    super(message, { hint, exitCode: 2 });
  }
}

/** A signal ended the command; the exit code is 128 and its number. */
export class Interrupted extends Error {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(signal);
    this.signal = signal;
  }
}
