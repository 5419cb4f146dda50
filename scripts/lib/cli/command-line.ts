import { parseArgs } from 'node:util';
import { UsageError } from '../util/error.ts';
import { type Message, message } from '../util/message.ts';
import { COMMANDS } from './commands.ts';
import { type CommandName, type Flag, type Flags, listFlags } from './flags.ts';
import { kubectlCommand, mittensCommand } from './to-run.ts';

/** A command line of mittens. */
export interface CommandLine<C extends CommandName> {
  flags: Flags<C> & { help?: boolean | undefined };
  args: string[];
  /** What stands after `--`, of a command that takes that. */
  rest: string[];
}

/** One flag as it was written. */
interface Given {
  name: string;
  /** With its dashes. */
  rawName: string;
  value: string | undefined;
  inlineValue: boolean | undefined;
}

/**
 * Reads the arguments of a command by the table of flags.
 * @throws UsageError in kubectl's words, with the way to the command's help.
 */
export function parseCommandLine<C extends CommandName>(command: C, argv: string[]): CommandLine<C> {
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  const [own, after] = [argv.slice(0, end), argv.slice(end + 1)];
  const { tokens } = parseArgs({
    args: own,
    options: toOptions(command),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const given = tokens.filter((token) => token.kind === 'option');
  const flags = readFlags(command, given);
  const named = tokens.filter((token) => token.kind === 'positional').map(({ value }) => value);
  const takesRest = COMMANDS[command].rest !== undefined;
  const args = takesRest ? named : [...named, ...after];
  return { flags: flags as CommandLine<C>['flags'], args, rest: takesRest ? after : [] };
}

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

function toOptions(command: CommandName): Options {
  const options = listFlags(command).map(({ name, short, value }) => {
    const type = value ? ('string' as const) : ('boolean' as const);
    return [name, short ? { type, short } : { type }] as const;
  });
  return Object.fromEntries(options);
}

function readFlags(command: CommandName, given: Given[]): Record<string, string | string[] | boolean> {
  const flags: Record<string, string | string[] | boolean> = {};
  for (const token of given) {
    const flag = listFlags(command).find(({ name }) => name === token.name);
    const value = readValue(command, flag, token);
    const before = flags[token.name] ?? [];
    flags[token.name] = flag?.repeatable && Array.isArray(before) ? [...before, String(value)] : value;
  }
  return flags;
}

function readValue(command: CommandName, flag: Flag | undefined, given: Given): string | true {
  const { rawName, value, inlineValue } = given;
  if (!flag) throw createUsageError(command, `unknown flag: ${rawName}`);
  if (!flag.value) {
    if (value === undefined) return true;
    throw createUsageError(command, `flag takes no value: ${rawName}=${value}`);
  }
  // A forgotten value must not swallow the next flag.
  const isFlag = !inlineValue && value?.startsWith('-') && value !== '-';
  if (value === undefined || isFlag)
    throw createUsageError(command, `flag needs an argument: ${rawName} ${flag.value}`);
  return value;
}

/** @throws UsageError when a command is given too few arguments, or too many. */
export function checkArguments(command: CommandName, args: string[]): void {
  const { name, min, max } = COMMANDS[command].args;
  if (args.length < min) {
    if (name !== 'SERVICE') throw createUsageError(command, `${command} needs an argument: ${name}`);
    throw new UsageError(
      `${command} needs an argument: ${name}`,
      message`list the Services: ${kubectlCommand(['get', 'services'])}\nsee the help: ${mittensCommand(command, [], { help: true })}`,
    );
  }
  if (args.length <= max) return;
  const takes = max === 0 ? 'no arguments' : 'one argument';
  throw createUsageError(command, `${command} takes ${takes}, but got: ${args.join(' ')}`);
}

/** An error of a command line, with the way to the command's help. */
export function createUsageError(command: CommandName, text: string): UsageError {
  return new UsageError(text, help(command));
}

function help(command: CommandName): Message {
  return message`see the help: ${mittensCommand(command, [], { help: true })}`;
}
