import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { COMMANDS } from '../../scripts/lib/cli/commands.ts';
import { COMMAND_NAMES, FLAGS, type Flag, flagsOf } from '../../scripts/lib/cli/flags.ts';
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
    it(`has --${flag.name} of ${flag.commands.join(', ')}, which a test uses`, () =>
      assert.ok(isTested(flag), `no test in test/ uses --${flag.name}`));

  it('has the commands that there are scripts for', () => {
    const scripts = readdirSync(new URL('scripts', ROOT)).filter((name) => name.endsWith('.ts'));
    assert.deepEqual(scripts.sort(), COMMAND_NAMES.map((name) => `${name}.ts`).sort());
  });

  for (const command of COMMAND_NAMES)
    it(`has each name and each letter once for ${command}`, () => {
      const names = flagsOf(command).flatMap(({ name, short }) => (short ? [name, short] : [name]));
      assert.deepEqual(names, [...new Set(names)]);
    });

  it('has the protocols and formats that the program has', () => {
    const words = (command: string, name: string) =>
      table.find((flag) => flag.name === name && flag.commands.some((other) => other === command))?.completes;
    assert.deepEqual(words('on', 'protocol'), PROTOCOLS);
    assert.deepEqual(words('flows', 'output'), Object.keys(FORMATS));
  });

  it('says what each flag does in one line of code and words, without a full stop', () => {
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
    it(`of ${command} fits into 100 columns`, () => {
      for (const line of help.split('\n')) assert.ok(line.length <= 100, line);
    });

    it(`of ${command} is one sentence, examples, usage, then each of its flags once`, () => {
      const [sentence = '', examples = '', ...others] = help.split('\n\n');
      assert.match(sentence, /^[A-Z][^.]+\.$/);
      assert.match(examples, /^Examples:\n {2}# /);
      const count = COMMANDS[command].examples.length;
      assert.match(others[count - 1] ?? '', new RegExp(`^Usage:\n {2}kubectl mittens ${command} `));
      const names = [...help.matchAll(/^ {2}(?:-\w, | {4})--([a-z-]+)/gm)].map(([, name]) => name);
      assert.deepEqual(
        names.sort(),
        flagsOf(command)
          .map(({ name }) => name)
          .sort(),
      );
    });

    it(`of ${command} names the commands as they were called`, () => {
      const lines = [...help.matchAll(/^ {2}# .+\n {2}(.+)$/gm)].map(([, line = '']) => line);
      assert.equal(lines.length, COMMANDS[command].examples.length);
      for (const line of lines) assert.match(line, new RegExp(`^kubectl mittens ${command}( |$)`));
    });
  }
});
