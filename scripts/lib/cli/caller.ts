import { basename, dirname, join, relative } from 'node:path';
import type { CommandToRun, Message } from '../util/message.ts';
import { quoteWord, quoteWords } from '../util/shell.ts';
import { COMMAND_NAMES, type CommandName, FLAGS, type Flag } from './flags.ts';

/** How the user calls mittens: by make, or by these words before a command's arguments. */
export type Caller = 'make' | ((command: string) => string[]);

/** The values of flags that commands to run inherit from the one that names them. */
export type Inherited = Readonly<Record<string, unknown>>;

const KUBECTL_FLAGS = ['namespace', 'context', 'kubeconfig', 'as'];
const TABLE: readonly Flag[] = FLAGS;

/**
 * Tells from a process how it was called. `$MITTENS_CALLED_AS` says it first: `make`, or words such as
 * `kubectl mittens`.
 */
export function findCaller({ env, execArgv, argv, cwd }: NodeJS.Process = process): Caller {
  const as = env.MITTENS_CALLED_AS;
  if (as === 'make') return 'make';
  if (as) return (command) => [...as.split(' '), command];
  const script = argv[1] ?? '';
  if (!COMMAND_NAMES.includes(basename(script, '.ts') as CommandName))
    return (command) => ['npx', 'tsx', `scripts/${command}.ts`];
  // tsx starts node with its loader's whole path.
  const isTsx = execArgv.some((arg) => arg.includes('/tsx/dist/'));
  const node = isTsx ? ['npx', 'tsx'] : ['node', ...execArgv];
  return (command) => [...node, relative(cwd(), join(dirname(script), `${command}.ts`))];
}

/** What writes the messages of this process. */
export function formatter(inherited: Inherited = {}): (message: Message) => string {
  const caller = findCaller();
  return (message) => formatMessage(message, caller, inherited);
}

/** A message as its reader sees it, with whole command lines. */
export function formatMessage(message: Message, caller: Caller, inherited: Inherited): string {
  if (typeof message === 'string') return message;
  return message
    .map((part) => (typeof part === 'string' ? part : formatCommand(part, caller, inherited)))
    .join('');
}

/** A command line that can be pasted into a shell. */
export function formatCommand(command: CommandToRun, caller: Caller, inherited: Inherited = {}): string {
  const { program, args } = command;
  const flags = { ...command.flags, ...findInherited(command, inherited) };
  if (program === 'kubectl') return quoteWords([program, ...args, ...toWords(flags)]);
  const end = args.indexOf('--');
  const [own, rest] = end < 0 ? [args, []] : [args.slice(0, end), args.slice(end)];
  if (caller !== 'make') return quoteWords([...caller(program), ...own, ...toWords(flags), ...rest]);
  const { namespace, context, ...others } = flags;
  const variables = [
    toVariable(program === 'flows' ? 'FILE' : 'SVC', own),
    toVariable('NS', namespace ? [String(namespace)] : []),
    toVariable('CONTEXT', context ? [String(context)] : []),
    toVariable('ARGS', [...toWords(others), ...rest]),
  ];
  return ['make', program, ...variables.flat()].join(' ');
}

/** What a command is given besides its own flags, to work where this one works. */
function findInherited({ program, flags }: CommandToRun, inherited: Inherited): CommandToRun['flags'] {
  if (flags.help) return {};
  const names = program === 'kubectl' ? KUBECTL_FLAGS : listInheritable(program as CommandName);
  const found = names.flatMap((name) => {
    const value = inherited[name];
    const isWanted = flags[name] === undefined && !(name === 'namespace' && flags['all-namespaces']);
    return isWanted && typeof value === 'string' && value !== '' ? [[name, value]] : [];
  });
  return Object.fromEntries(found);
}

function listInheritable(command: CommandName): string[] {
  return TABLE.filter((flag) => flag.inherited && flag.commands.includes(command)).map(({ name }) => name);
}

function toWords(flags: CommandToRun['flags']): string[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    if (value === true) return [`--${name}`];
    const short = TABLE.find((flag) => flag.name === name)?.short;
    const values = typeof value === 'string' ? [value] : value;
    return values.flatMap((value) => toWord(name, short, value));
  });
}

function toWord(name: string, short: string | undefined, value: string): string[] {
  if (value.startsWith('-') && value !== '-') return [`--${name}=${value}`];
  return [short ? `-${short}` : `--${name}`, value];
}

/** A variable of the Makefile, which a shell of make's reads again. */
function toVariable(name: string, words: readonly string[]): string[] {
  if (words.length === 0) return [];
  return [`${name}=${quoteWord(quoteWords(words).replaceAll('$', '$$$$'))}`];
}
