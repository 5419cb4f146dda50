import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseDuration, parsePort } from '../../scripts/lib/util/cli.ts';
import { UsageError } from '../../scripts/lib/util/error.ts';
import { COMMANDS, flagsOf } from './commands.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function run(command: string, ...args: string[]) {
  const argv = ['--import', 'tsx', `scripts/${command}.ts`, ...args];
  return spawnSync(process.execPath, argv, { cwd: ROOT, encoding: 'utf8' });
}

describe('parseDuration', () => {
  for (const [text, seconds] of [
    ['90s', 90],
    ['5m', 300],
    ['1h', 3600],
    ['7', 7],
  ] as const) {
    it(`reads ${text}`, () => assert.equal(parseDuration(text), seconds));
  }
  for (const text of ['', '0s', '-1s', '1.5m', '5 m', 'soon', '1d']) {
    it(`refuses "${text}"`, () => assert.throws(() => parseDuration(text), UsageError));
  }
});

describe('parsePort', () => {
  it('reads a port', () => assert.equal(parsePort('65535'), 65535));
  for (const text of ['0', '65536', '-1', 'http', '80x', '']) {
    it(`refuses "${text}"`, () => assert.throws(() => parsePort(text), UsageError));
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
    it(`that makes no sense is one clear line and exit code 2: ${[command, ...args].join(' ')}`, () => {
      const { status, stdout, stderr } = run(command, ...args);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, /^error: .+\n(hint: .+\n)?$/);
    });
  }

  for (const command of COMMANDS) {
    it(`asks for the help of ${command}, which names every flag that it reads, and no other`, () => {
      const { status, stdout, stderr } = run(command, '--help');
      assert.deepEqual([status, stderr], [0, '']);
      // A line has one flag or several, and then words.
      const lines = [...stdout.matchAll(/^ {2}(?:-\w, | {4}|(?=--))((?:--[a-z-]+(?:, )?)+)/gm)];
      const named = lines.flatMap(([, flags = '']) =>
        flags.split(', ').map((flag) => flag.slice('--'.length)),
      );
      assert.deepEqual(named.sort(), flagsOf(command).sort());
    });
  }
});
