import type { CommandToRun } from '../util/message.ts';
import type { CommandName, Flags } from './flags.ts';

/** A command of mittens for a message. The table of flags types it, so that it can be run. */
export function mittensCommand<C extends CommandName>(
  command: C,
  args: readonly string[],
  flags: Flags<C> = {},
): CommandToRun {
  return { program: command, args, flags };
}

/** A kubectl command for a message. */
export function kubectlCommand(
  args: readonly string[],
  flags: { namespace?: string | undefined } = {},
): CommandToRun {
  return { program: 'kubectl', args, flags };
}
