import { describeError, Interrupted, UsageError, UserError } from '../util/error.ts';
import { toExitCode } from '../util/interrupt.ts';
import { printable } from '../util/log.ts';
import { dropUnreadOutput, isUnread } from '../util/unread-output.ts';
import { findCaller, formatter, type Inherited } from './caller.ts';
import { type CommandLine, checkArguments, createUsageError, parseCommandLine } from './command-line.ts';
import type { CommandName } from './flags.ts';
import { formatHelp } from './help.ts';

/** Reads this process's command line and runs a command to its end. `--help` prints the help on stdout instead. */
export async function runCommand<C extends CommandName>(
  command: C,
  act: (line: CommandLine<C>) => Promise<void>,
): Promise<void> {
  let inherited: Inherited = {};
  await run(
    async () => {
      const line = parseCommandLine(command, process.argv.slice(2));
      inherited = line.flags;
      if (line.flags.help) return void process.stdout.write(formatHelp(command, findCaller()));
      checkArguments(command, line.args);
      await act(line).catch((error: unknown) => explain(command, error));
    },
    () => inherited,
  );
}

/**
 * Runs a program to its end. Prints a UserError as `error: …`, and each line of its hint as `hint: …`; sets the exit
 * code.
 * @param inherited the flags that commands in hints are given, as far as they were read.
 */
export async function run(
  program: () => Promise<void>,
  inherited: () => Inherited = () => ({}),
): Promise<void> {
  dropUnreadOutput();
  try {
    await program();
  } catch (error) {
    if (error instanceof Interrupted) {
      process.exitCode = toExitCode(error.signal);
    } else if (error instanceof UserError) {
      process.stderr.write(`${printable(formatter(inherited())(describeError(error)))}\n`);
      process.exitCode = error.exitCode;
    } else if (isUnread(error)) {
      // As shells have it for a command that SIGPIPE ends: 128 + 13.
      process.exitCode = 141;
    } else {
      throw error;
    }
  }
}

/** Adds the way to the help to an error of the command line that has no hint of its own. */
function explain(command: CommandName, error: unknown): never {
  const isBare = error instanceof UsageError && error.hint === undefined;
  throw isBare ? createUsageError(command, error.message) : error;
}
