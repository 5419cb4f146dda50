import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { COMMANDS } from '../../scripts/lib/cli/commands.ts';
import { COMMAND_NAMES, FLAGS, type Flag, listFlags } from '../../scripts/lib/cli/flags.ts';
import { formatHelp } from '../../scripts/lib/cli/help.ts';
import { FORMATS } from '../../scripts/lib/formats/formats.ts';
import { PROTOCOLS } from '../../scripts/lib/plan/protocol.ts';

const ROOT = new URL('../../', import.meta.url);
const table: readonly Flag[] = FLAGS;

/** The text of all test files but this one, which names flags to say what is known of them. */
const tests = readdirSync(new URL('test', ROOT), { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.test\.ts$/.test(path) && !path.endsWith('flags.test.ts'))
  .filter((path) => !path.includes('node_modules'))
  .map((path) => readFileSync(new URL(`test/${path}`, ROOT), 'utf8'))
  .join('\n');

/** Whether a test gives a flag to a command, by its long or its short name. */
function isTested({ name, short }: Flag): boolean {
  const names = short ? `--${name}|-${short}` : `--${name}`;
  return new RegExp(`(?<![\\w-])(${names})(?![\\w-])`).test(tests);
}

describe('the table of flags', () => {
  for (const flag of table)
    it(`a test uses --${flag.name} of ${flag.commands.join(', ')}`, () =>
      assert.ok(isTested(flag), `no test in test/ uses --${flag.name}`));

  it('the table of flags has a command for every script', () => {
    const scripts = readdirSync(new URL('scripts', ROOT)).filter((name) => name.endsWith('.ts'));
    assert.deepEqual(scripts.sort(), COMMAND_NAMES.map((name) => `${name}.ts`).sort());
  });

  for (const command of COMMAND_NAMES)
    it(`no two flags of ${command} share a name or a letter`, () => {
      const names = listFlags(command).flatMap(({ name, short }) => (short ? [name, short] : [name]));
      assert.deepEqual(names, [...new Set(names)]);
    });

  it('the table of flags completes --protocol and --output with every value that they accept', () => {
    const words = (command: string, name: string) =>
      table.find((flag) => flag.name === name && flag.commands.some((other) => other === command))?.completes;
    assert.deepEqual(words('on', 'protocol'), PROTOCOLS);
    assert.deepEqual(words('flows', 'output'), Object.keys(FORMATS));
  });

  it('the help of each flag is one line without a full stop', () => {
    for (const { name, help } of table) {
      assert.match(help, /^[`'A-Za-z][^\n]*[^.]$/, name);
      assert.equal((help.match(/`/g)?.length ?? 0) % 2, 0, name);
    }
  });
});

describe('--help', () => {
  const caller = (command: string) => ['kubectl', 'mittens', command];

  for (const command of COMMAND_NAMES) {
    const help = formatHelp(command, caller);
    it(`the help of ${command} fits into 100 columns`, () => {
      for (const line of help.split('\n')) assert.ok(line.length <= 100, line);
    });

    it(`the help of ${command} is one sentence, examples, usage, then each of its flags once`, () => {
      const [sentence = '', examples = '', ...others] = help.split('\n\n');
      assert.match(sentence, /^[A-Z][^.]+\.$/);
      assert.match(examples, /^Examples:\n {2}# /);
      const count = COMMANDS[command].examples.length;
      assert.match(others[count - 1] ?? '', new RegExp(`^Usage:\n {2}kubectl mittens ${command} `));
      const names = [...help.matchAll(/^ {2}(?:-\w, | {4})--([a-z-]+)/gm)].map(([, name]) => name);
      assert.deepEqual(
        names.sort(),
        listFlags(command)
          .map(({ name }) => name)
          .sort(),
      );
    });

    it(`the examples in the help of ${command} are written as the user called it`, () => {
      const lines = [...help.matchAll(/^ {2}# .+\n {2}(.+)$/gm)].map(([, line = '']) => line);
      assert.equal(lines.length, COMMANDS[command].examples.length);
      for (const line of lines) assert.match(line, new RegExp(`^kubectl mittens ${command}( |$)`));
    });
  }
});
