import { readdirSync, readFileSync } from 'node:fs';
import { CONNECTION_FLAGS, TAP_FLAGS } from '../../scripts/lib/util/cli.ts';

const SCRIPTS = new URL('../../scripts/', import.meta.url);

/** All commands: a file each in scripts. */
export const COMMANDS = readdirSync(SCRIPTS)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -'.ts'.length));

/** The long names of the flags that a command reads, by its source: to load it is to run it. */
export function flagsOf(command: string): string[] {
  const source = readFileSync(new URL(`${command}.ts`, SCRIPTS), 'utf8');
  const own = [...source.matchAll(/^ {4}'?([a-z-]+)'?: \{ type/gm)].map(([, name = '']) => name);
  return [
    ...own,
    ...(source.includes('...CONNECTION_FLAGS') ? Object.keys(CONNECTION_FLAGS) : []),
    ...(source.includes('...TAP_FLAGS') ? Object.keys(TAP_FLAGS) : []),
  ];
}
