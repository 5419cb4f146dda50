import { type Caller, formatCommand } from './caller.ts';
import { COMMANDS, type Example } from './commands.ts';
import { type CommandName, type Flag, listFlags, SECTIONS } from './flags.ts';

/** As wide as help may be, in columns. */
const WIDTH = 100;

/** The text of `COMMAND --help`: what it does, examples, usage, and its flags by section. */
export function formatHelp(command: CommandName, caller: Caller): string {
  const { does, notes, examples } = COMMANDS[command];
  const paragraphs = [
    wrap(does, WIDTH).join('\n'),
    `Examples:\n${examples.map((example) => formatExample(command, example, caller)).join('\n\n')}`,
    `Usage:\n  ${formatUsage(command, caller)}`,
    ...(notes ? [wrap(notes, WIDTH).join('\n')] : []),
    ...formatSections(listFlags(command)),
  ];
  return `${paragraphs.join('\n\n')}\n`;
}

function formatExample(command: CommandName, example: Example<CommandName>, caller: Caller): string {
  const { says, args = [], flags = {}, rest, pipe } = example;
  const line = formatCommand(
    { program: command, args: rest ? [...args, '--', ...rest] : args, flags },
    caller,
  );
  return `  # ${says}\n  ${pipe ? `${line} ${pipe}` : line}`;
}

function formatUsage(command: CommandName, caller: Caller): string {
  const { args, rest } = COMMANDS[command];
  const words = ['[flags]', ...(rest ? [`[-- ${rest.name}]`] : [])].join(' ');
  if (caller !== 'make') return [...caller(command), args.name, words].filter(Boolean).join(' ');
  const variable = args.name && `${command === 'flows' ? 'FILE' : 'SVC'}=${args.name}`;
  return ['make', command, variable, `ARGS='${words}'`].filter(Boolean).join(' ');
}

function formatSections(flags: Flag[]): string[] {
  const width = Math.max(...flags.map((flag) => formatName(flag).length));
  return SECTIONS.flatMap((section) => {
    const own = flags.filter((flag) => flag.section === section);
    if (own.length === 0) return [];
    return [`${section}:\n${own.map((flag) => formatFlag(flag, width)).join('\n')}`];
  });
}

function formatFlag(flag: Flag, width: number): string {
  const indent = ' '.repeat(width + 3);
  const lines = wrap(describeFlag(flag).replaceAll('`', ''), WIDTH - indent.length);
  return `${formatName(flag).padEnd(width)}   ${lines.join(`\n${indent}`)}`;
}

/** `  -p, --port PORT`, with the dashes of all flags in the same column. */
function formatName({ name, short, value }: Flag): string {
  return `  ${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`;
}

/** A flag's help with what holds of it besides; code stands between backquotes. */
export function describeFlag({ help, repeatable, default: byDefault }: Flag): string {
  const more = [...(repeatable ? ['repeatable'] : []), ...(byDefault ? [`default: ${byDefault}`] : [])];
  return more.length > 0 ? `${help} (${more.join('; ')})` : help;
}

/** Breaks a text into lines at blanks. A word that is longer than a line stays whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line];
}
