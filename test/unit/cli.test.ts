import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkArguments, parseCommandLine } from '../../scripts/lib/cli/command-line.ts';
import { COMMANDS, type Example } from '../../scripts/lib/cli/commands.ts';
import { COMMAND_NAMES, type CommandName } from '../../scripts/lib/cli/flags.ts';
import { formatHelp } from '../../scripts/lib/cli/help.ts';
import { UsageError } from '../../scripts/lib/util/error.ts';
import { parseDuration, parsePort } from '../../scripts/lib/util/parse.ts';
import { commandLine } from '../scripts.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function run(command: CommandName, ...args: string[]) {
  const [node = '', ...line] = commandLine(command, args);
  const { MITTENS_CALLED_AS: _, ...env } = process.env;
  return spawnSync(node, line, { cwd: ROOT, encoding: 'utf8', env });
}

describe('parseDuration', () => {
  for (const [text, seconds] of [
    ['90s', 90],
    ['5m', 300],
    ['1h', 3600],
    ['7', 7],
  ] as const) {
    it(`the duration ${text} is ${seconds} s`, () => assert.equal(parseDuration(text), seconds));
  }
  for (const text of ['', '0s', '-1s', '1.5m', '5 m', 'soon', '1d']) {
    it(`the duration "${text}" is refused`, () => assert.throws(() => parseDuration(text), UsageError));
  }
});

describe('parsePort', () => {
  it('the port 65535 is accepted', () => assert.equal(parsePort('65535'), 65535));
  for (const text of ['0', '65536', '-1', 'http', '80x', '']) {
    it(`the port "${text}" is refused`, () => assert.throws(() => parsePort(text), UsageError));
  }
});

describe('parseCommandLine', () => {
  const parse = (command: CommandName, ...argv: string[]) => {
    const line = parseCommandLine(command, argv);
    checkArguments(command, line.args);
    return { ...line, flags: { ...line.flags } };
  };

  it('flags may stand before and after the argument, and some may be repeated', () =>
    assert.deepEqual(
      parse('on', '-p', '80', 'web', '--port=http', '-nshop', '--web', '--context', 'kind-x'),
      {
        flags: { port: ['80', 'http'], namespace: 'shop', web: true, context: 'kind-x' },
        args: ['web'],
        rest: [],
      },
    ));

  it('a single dash is a value of a flag', () =>
    assert.deepEqual(parse('capture', 'web', '-o', '-').flags, { output: '-' }));

  it('a value that begins with a dash follows an equals sign', () =>
    assert.deepEqual(parse('flows', '--sort=-latency', 'a.mitm').flags, { sort: '-latency' }));

  it('words after -- belong to the command or to mitmproxy', () =>
    assert.deepEqual(parse('capture', 'web', '--', 'npm', 'test', '--', '--nope'), {
      flags: {},
      args: ['web'],
      rest: ['npm', 'test', '--', '--nope'],
    }));

  it('words after -- are arguments of a command that takes nothing else there', () =>
    assert.deepEqual(parse('flows', '--', '-odd.mitm').args, ['-odd.mitm']));

  it('--help works without an argument', () => assert.equal(parseCommandLine('on', ['-h']).flags.help, true));

  for (const [message, command, ...argv] of [
    ['unknown flag: --nope', 'on', 'web', '--nope'],
    ['unknown flag: --nope', 'on', 'web', '--nope=1'],
    ['unknown flag: -x', 'on', 'web', '-x'],
    ['unknown flag: --port', 'off', 'web', '--port', '80'],
    ['unknown flag: --__proto__', 'off', 'web', '--__proto__', '80'],
    ['flag needs an argument: --port PORT', 'on', 'web', '--port'],
    ['flag needs an argument: -n NAMESPACE', 'on', 'web', '-n'],
    ['flag needs an argument: --output FILE', 'capture', 'web', '--output', '--count=1'],
    ['flag takes no value: --web=yes', 'on', 'web', '--web=yes'],
    ['on needs an argument: SERVICE', 'on'],
    ['flows needs an argument: FILE...', 'flows'],
    ['attach takes one argument, but got: a b', 'attach', 'a', 'b'],
    ['list takes no arguments, but got: web', 'list', 'web'],
    ['gc takes no arguments, but got: web', 'gc', '--', 'web'],
  ] as [string, CommandName, ...string[]][]) {
    it(`the command line ${[command, ...argv].join(' ')} is refused: ${message}`, () =>
      assert.throws(
        () => parse(command, ...argv),
        (error) => error instanceof UsageError && error.message === message && error.hint !== undefined,
      ));
  }

  for (const command of COMMAND_NAMES) {
    const examples: Example<CommandName>[] = COMMANDS[command].examples;
    for (const { says, args = [], flags = {}, rest = [] } of examples)
      it(`the example in the help of ${command} is parsed: ${says}`, () => {
        const help = formatHelp(command, (name) => ['mittens', name]);
        const line = help.split(`# ${says}\n  mittens ${command}`)[1]?.split('\n')[0] ?? '';
        const words = spawnSync('sh', ['-c', `printf '%s\\0' ${line.split(/ [|>] /)[0]}`], {
          encoding: 'utf8',
        });
        assert.deepEqual(parse(command, ...words.stdout.split('\0').filter(Boolean)), { args, flags, rest });
      });
  }
});

describe('a command line', () => {
  for (const [command, ...args] of [
    ['on'],
    ['on', 'a', 'b'],
    ['on', 'web', '--nope'],
    ['on', 'web', '--port'],
    ['on', 'web', '--listen-port', 'x'],
    ['on', 'web', '--timeout', 'soon'],
    ['on', 'web', '--image-pull-policy', 'Sometimes'],
    ['on', 'job/web'],
    ['on', 'web', '--protocol', 'quic'],
    ['on', 'web', '--tls-secret', '../x'],
    ['on', 'web', '--proxy-cpu', '10m'],
    ['on', 'web', '--proxy-memory', 'lots'],
    ['capture', 'web', '--proxy-memory', '64Mi'],
    ['capture', 'web', '--sample', '0%'],
    ['on', 'web', '--sample', '10'],
    ['on', 'web', '--isolate'],
    ['on', 'web', '--watch-detached', '--no-tmux'],
    ['on', 'web', '--web', '--no-tmux'],
    ['capture', 'pod/web'],
    ['watch'],
    ['off'],
    ['off', 'web', '--all'],
    ['off', 'web', '-A'],
    ['off', '--all', '-A', '-n', 'shop'],
    ['list', 'web'],
    ['list', '-o', 'yaml'],
    ['list', '-A', '-n', 'shop'],
    ['attach'],
  ] as [string, ...string[]][]) {
    it(`a wrong command line ends with one error line, hints and exit code 2: ${[command, ...args].join(' ')}`, () => {
      const { status, stdout, stderr } = run(command as CommandName, ...args);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, /^error: .+\n(hint: .+\n)+$/);
    });
  }

  it('the hint of a wrong command line prints the help when it is run', () => {
    const { stderr } = run('on', 'web', '--nope');
    assert.equal(
      stderr,
      'error: unknown flag: --nope\nhint: see the help: node --import tsx scripts/on.ts --help\n',
    );
    const { status, stdout, stderr: errors } = run('on', '--help');
    assert.deepEqual([status, errors], [0, '']);
    assert.match(stdout, /^Tap a Service.*\n\nExamples:\n/);
  });
});
