// Writes the tables of flags in README.md: make docs
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { formatTable, replaceBlock } from '../util/markdown.ts';
import { COMMANDS } from './commands.ts';
import { type Flag, listFlags } from './flags.ts';
import { describeFlag } from './help.ts';

const FILE = new URL('../../../README.md', import.meta.url);
/** README says once, in words, what all commands have. */
const OF_ALL = ['Cluster', 'General'];

/** README with the tables that the table of flags makes now. */
export function writeTables(text: string): string {
  const on = listFlags('on').filter(({ section }) => !OF_ALL.includes(section));
  const capture = listFlags('capture').filter(({ section }) => !OF_ALL.includes(section));
  const tables = {
    'flags of on and capture': on.filter((flag) => capture.includes(flag)).map(toRow),
    'flags of on': [...on.filter((flag) => !capture.includes(flag)).map(toRow), toRestRow('on')],
    'flags of capture': [...capture.filter((flag) => !on.includes(flag)).map(toRow), toRestRow('capture')],
  };
  return Object.entries(tables).reduce(
    (text, [name, rows]) => replaceBlock(text, name, formatTable(['Flag', 'What it does'], rows)),
    text,
  );
}

function toRow(flag: Flag): string[] {
  const { name, short, value, more } = flag;
  const long = value ? `--${name} ${value}` : `--${name}`;
  return [
    `\`${short ? `-${short}, ${long}` : long}\``,
    [`${describeFlag(flag)}.`, more].filter(Boolean).join(' '),
  ];
}

function toRestRow(command: 'on' | 'capture'): string[] {
  const { rest } = COMMANDS[command];
  return [`\`-- ${rest?.name}\``, `${rest?.help}.`];
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(FILE, writeTables(readFileSync(FILE, 'utf8')));
