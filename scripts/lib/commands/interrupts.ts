import { formatter } from '../cli/caller.ts';
import type { Flags } from '../cli/flags.ts';
import { type Interrupts, listenForInterrupts } from '../util/interrupt.ts';
import type { CommandToRun } from '../util/message.ts';
import { message } from '../util/message.ts';

/**
 * Listens for the signals that end a command. A second Ctrl-C stops it at once, and prints what to run then.
 * @param next the command that restores what is left, or shows it.
 */
export function listenForUser(next: CommandToRun, flags: Flags<'attach'>): Interrupts {
  return listenForInterrupts(formatter(flags)(message`stopped\nsee to what is left: ${next}`));
}
