import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Caller, findCaller, formatCommand, formatMessage } from '../../scripts/lib/cli/caller.ts';
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
    const output = execFileSync('sh', ['-c', `${line} -o node_modules/.package-lock.json`], {
      encoding: 'utf8',
      cwd: ROOT,
      env,
    });
    const scripts = HOSTILE.flatMap((word) => ['--script', word]);
    assert.deepEqual(output.split('\0').slice(0, -1), [
      ...['--import', 'tsx', 'scripts/on.ts', 'web', '--namespace=shop', `--context=${HOSTILE.join(' ')}`],
      ...['--intercept', '~q & ~m POST', ...scripts, '--', ...HOSTILE],
    ]);
  });
});
