import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { checkArguments, parseCommandLine } from '../scripts/lib/cli/command-line.ts';
import { COMMAND_NAMES, type CommandName } from '../scripts/lib/cli/flags.ts';

/** Words that stand for what nobody can know. */
const PLACEHOLDERS = ['FILE', 'NAME', 'EXPRESSION'];
const names = COMMAND_NAMES.join('|');
/** A command line ends its line. These are the forms that tests call commands in. */
const MITTENS = new RegExp(`(?:npx|node --import) tsx \\S*?scripts/(${names})\\.ts(.*)$`);
const KUBECTL = /(?::|or) kubectl (.*)$/;
/** A command that is named as nobody calls it, such as `off web`. */
const BARE = new RegExp(`(?:^hint|: |; |or )(?:${names}) (?!is\\b)[a-z-]*[/]?[a-z0-9-]+$`);

/**
 * Parses every command line that a command of mittens has printed for its user to run, by the real parser.
 * @param text its stderr, or a screen.
 * @returns how many there were.
 */
export function checkHints(text: string): number {
  let count = 0;
  for (const line of text.split('\n').map((line) => line.trimEnd())) {
    assert.doesNotMatch(line, BARE, 'a hint names a command that cannot be pasted');
    const [, command, rest] = MITTENS.exec(line) ?? [];
    const [, kubectl] = KUBECTL.exec(line) ?? [];
    if (command) checkMittens(command as CommandName, splitWords(rest ?? ''), line);
    else if (kubectl) assert.match(kubectl, / (-n [a-z0-9-]+|--namespace[= ][a-z0-9-]+)( |$)/, line);
    else continue;
    count++;
  }
  return count;
}

function checkMittens(command: CommandName, words: string[], line: string): void {
  const { args, flags } = parseCommandLine(command, words);
  if ('help' in flags) return;
  checkArguments(command, args);
  // Every test works in a namespace of its own.
  if (command !== 'flows') assert.ok('namespace' in flags || 'all-namespaces' in flags, line);
  for (const word of words.flatMap((word) => word.match(/\b[A-Z]{3,}\b/g) ?? []))
    assert.ok(PLACEHOLDERS.includes(word), line);
}

/** As a shell splits them. */
function splitWords(text: string): string[] {
  const { stdout, status } = spawnSync('sh', ['-c', `printf '%s\\0' x ${text}`], { encoding: 'utf8' });
  assert.equal(status, 0, text);
  return stdout.split('\0').slice(1, -1);
}
