import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Caller, findCaller, formatCommand, formatMessage } from '../../scripts/lib/cli/caller.ts';
import { COMMAND_NAMES } from '../../scripts/lib/cli/flags.ts';
import { kubectlCommand, mittensCommand } from '../../scripts/lib/cli/to-run.ts';
import { message } from '../../scripts/lib/util/message.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const plugin: Caller = (command) => ['kubectl', 'mittens', command];
/** Values that a shell or make would take apart. */
const HOSTILE = ["it's", '$HOME', '`id`', 'a b', 'x;y', '$(shell id)', '"q"', 'back\\slash', '!x', '#y', '*'];

const folder = mkdtempSync(join(tmpdir(), 'mittens-hints-'));
after(() => rmSync(folder, { recursive: true }));

/** A process as findCaller sees it. */
function called(script: string, execArgv: string[], env: NodeJS.ProcessEnv = {}): NodeJS.Process {
  return {
    ...process,
    cwd: () => '/home/me',
    argv: ['/usr/bin/node', script],
    execArgv,
    env,
  } as NodeJS.Process;
}

describe('findCaller', () => {
  const tsx = ['--require', '/x/tsx/dist/preflight.cjs', '--import', 'file:///x/tsx/dist/loader.mjs'];
  for (const [what, process, expected] of [
    ['npx tsx', called('/home/me/scripts/on.ts', tsx), 'npx tsx scripts/off.ts web'],
    ['npx tsx from elsewhere', called('/opt/m/scripts/on.ts', tsx), 'npx tsx ../../opt/m/scripts/off.ts web'],
    [
      'node with a loader',
      called('/home/me/scripts/on.ts', ['--import', 'tsx']),
      'node --import tsx scripts/off.ts web',
    ],
    ['node alone', called('/home/me/scripts/on.ts', []), 'node scripts/off.ts web'],
    ['make', called('/home/me/scripts/on.ts', [], { MITTENS_CALLED_AS: 'make' }), 'make off SVC=web'],
    [
      'a plugin of kubectl',
      called('/usr/bin/kubectl-mittens', [], { MITTENS_CALLED_AS: 'kubectl mittens' }),
      'kubectl mittens off web',
    ],
    ['another program', called('/actions/dist/main.js', []), 'npx tsx scripts/off.ts web'],
  ] as const)
    it(`findCaller recognizes a call by ${what}`, () =>
      assert.equal(formatCommand(mittensCommand('off', ['web']), findCaller(process)), expected));
});

describe('a command in a message', () => {
  const inherited = {
    namespace: 'mine',
    context: 'kind-x',
    kubeconfig: 'my config',
    as: 'ci',
    templates: './t',
    timeout: '1h',
    web: true,
  };

  it('a command in a hint has the namespace, context, kubeconfig and templates of this command', () =>
    assert.equal(
      formatCommand(mittensCommand('off', ['web'], { namespace: 'shop' }), plugin, inherited),
      "kubectl mittens off web -n shop --templates ./t --context kind-x --kubeconfig 'my config' --as ci",
    ));

  it('a command in a hint gets no flag that it does not have', () =>
    assert.equal(
      formatCommand(mittensCommand('list', []), plugin, inherited),
      "kubectl mittens list -n mine --context kind-x --kubeconfig 'my config' --as ci",
    ));

  it('a command in a hint never has --namespace beside --all-namespaces', () =>
    assert.equal(
      formatCommand(mittensCommand('list', [], { 'all-namespaces': true }), plugin, { namespace: 'mine' }),
      'kubectl mittens list --all-namespaces',
    ));

  it('a kubectl command in a hint has the context and kubeconfig, and its own flags win', () =>
    assert.equal(
      formatCommand(kubectlCommand(['describe', 'pod/x'], { namespace: 'shop' }), 'make', inherited),
      "kubectl describe pod/x -n shop --context kind-x --kubeconfig 'my config' --as ci",
    ));

  it('a command in a hint may stand within a sentence', () =>
    assert.equal(
      formatMessage(message`${2} taps: ${mittensCommand('list', [])}`, plugin, {}),
      '2 taps: kubectl mittens list',
    ));

  it('a shell reads a command in a hint as it was meant, whatever is in it', () => {
    const show = (command: string) => ['printf', '%s\\0', command];
    const command = mittensCommand('on', HOSTILE, { context: HOSTILE.join(' '), script: HOSTILE });
    const line = formatCommand({ ...command, args: [...HOSTILE, '--', ...HOSTILE] }, show);
    const words = execFileSync('sh', ['-c', line], { encoding: 'utf8', cwd: folder })
      .split('\0')
      .slice(0, -1);
    const scripts = HOSTILE.flatMap((word) => ['--script', word]);
    assert.deepEqual(words, ['on', ...HOSTILE, '--context', HOSTILE.join(' '), ...scripts, '--', ...HOSTILE]);
  });

  it('make reads a command in a hint as it was meant, whatever is in it', () => {
    // The Makefile's own rules, with a program in node's place that shows what it is given.
    const node = join(folder, 'node');
    writeFileSync(node, `#!/bin/sh\nprintf '%s\\0' "$@"\n`, { mode: 0o755 });
    const command = mittensCommand('on', ['web'], {
      namespace: 'shop',
      context: HOSTILE.join(' '),
      intercept: '~q & ~m POST',
      script: HOSTILE,
    });
    const line = formatCommand({ ...command, args: ['web', '--', ...HOSTILE] }, 'make');
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
    const output = execFileSync(
      'sh',
      ['-c', `${line} --no-print-directory -o node_modules/.package-lock.json`],
      {
        encoding: 'utf8',
        cwd: ROOT,
        env,
      },
    );
    const scripts = HOSTILE.flatMap((word) => ['--script', word]);
    assert.deepEqual(output.split('\0').slice(0, -1), [
      ...['--import', 'tsx', 'scripts/on.ts', 'web', '--namespace=shop', `--context=${HOSTILE.join(' ')}`],
      ...['--intercept', '~q & ~m POST', ...scripts, '--', ...HOSTILE],
    ]);
  });
});

/** String and template literals of a source, without its comments and imports. */
function listLiterals(source: string): string[] {
  const code = source.replace(/^import .*$/gm, '').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  return code.match(/`(?:[^`\\]|\\.)*`|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g) ?? [];
}

describe('the messages of the program', () => {
  const lib = join(ROOT, 'scripts', 'lib');
  const sources = readdirSync(lib, { recursive: true, encoding: 'utf8' })
    // The table of commands and flags describes them; it prints no hint.
    .filter((path) => path.endsWith('.ts') && !/^cli\/(flags|commands|readme)\.ts$/.test(path))
    .map((path) => ({ path, text: readFileSync(join(lib, path), 'utf8') }));

  it('name no command as mere text, which could not be pasted', () => {
    const names = COMMAND_NAMES.join('|');
    const bare = new RegExp(
      `(?:: |; |or |^.)(?:${names}) (?:\\$\\{|(?:svc|service|pod|deploy)/|--|-n )|kubectl (?:get|describe|apply|create|delete|annotate|scale|rollout|auth|config) `,
    );
    let count = 0;
    for (const { path, text } of sources)
      for (const literal of listLiterals(text)) {
        count++;
        // kubectl exec is how flows come, and no command to run.
        if (!/comes? by kubectl exec/.test(literal)) assert.doesNotMatch(literal, bare, path);
      }
    assert.ok(count > 1000, `only ${count} literals were found`);
  });

  it('end a line with the command that they name, so that it is easy to copy', () => {
    let count = 0;
    const command =
      /\$\{(?:commandFor|mittensCommand|kubectlCommand)\((?:[^(){}]|\{[^{}]*\}|\([^()]*\))*\)\}/g;
    for (const { path, text } of sources)
      for (const match of text.matchAll(command)) {
        count++;
        assert.match(text.slice(match.index + match[0].length), /^(`|\\n|\n)/, `${path}: ${match[0]}`);
      }
    assert.ok(count > 20, `only ${count} commands were found`);
  });
});

describe('a second Ctrl-C', () => {
  it('stops a command that hangs, and prints what to run then', async (t) => {
    // A kubectl that does not end when it is told to.
    const pid = join(folder, 'pid');
    const script = `#!/bin/sh\ntrap '' TERM\necho $$ >'${pid}'\nwhile :; do sleep 0.1; done\n`;
    writeFileSync(join(folder, 'kubectl'), script, { mode: 0o755 });
    const env = {
      ...process.env,
      PATH: `${folder}:${process.env.PATH}`,
      MITTENS_CALLED_AS: 'kubectl mittens',
    };
    const args = ['--import', 'tsx', 'scripts/watch.ts', 'web', '-n', 'shop', '--context', 'kind-x'];
    const watch = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'pipe'] });
    t.after(() => process.kill(-Number(readFileSync(pid, 'utf8')), 'SIGKILL'));
    let stderr = '';
    watch.stderr.on('data', (data) => {
      stderr += data;
    });
    const exited = once(watch, 'exit');
    while (!existsSync(pid) || readFileSync(pid, 'utf8') === '') await wait(20);
    // One that comes within half a second of the first counts as the same.
    while (watch.exitCode === null) {
      watch.kill('SIGINT');
      await wait(50);
    }
    assert.deepEqual(await exited, [130, null]);
    assert.equal(
      stderr,
      '\nstopped\nsee to what is left: kubectl mittens off web -n shop --context kind-x\n',
    );
  });
});
