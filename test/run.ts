// Runs test files, `run.ts [--context NAME] FILE…`: on a pocket cluster of their own, or with --context on a real one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '../scripts/lib/cli/run.ts';
import { listenForInterrupts } from '../scripts/lib/util/interrupt.ts';
import { anyCluster } from './any-cluster.ts';
import { directKubectl } from './setup/kubectl.ts';
import { setUp, TESTS } from './setup.ts';

/** How many files run at a time, which wait for most of theirs: on a real cluster three, as its node may be small. */
const CONCURRENCY = { real: 3, pocket: availableParallelism() + 1 };

await run(async () => {
  const { values, positionals } = parseArgs({
    options: { context: { type: 'string' } },
    allowPositionals: true,
  });
  const { signal } = listenForInterrupts();
  Object.assign(process.env, await setUp({ ...TESTS, mitmproxy: !values.context }, signal));
  const direct = directKubectl();
  if (direct) process.env.PATH = `${direct}:${process.env.PATH}`;
  const cluster = await anyCluster(values.context);
  const state = mkdtempSync(join(tmpdir(), 'mittens-state-'));
  const concurrency = CONCURRENCY[values.context ? 'real' : 'pocket'];
  try {
    const args = ['--import', 'tsx', '--test', `--test-concurrency=${concurrency}`, '--test-reporter=spec'];
    // What taps keep of their flows is not to fill the user's own folder.
    const env = { ...process.env, KUBECONFIG: cluster.kubeconfig, XDG_STATE_HOME: state };
    const tests = spawn(process.execPath, [...args, ...positionals], { stdio: 'inherit', env });
    signal.addEventListener('abort', () => tests.kill('SIGTERM'));
    const [code] = await once(tests, 'exit');
    process.exitCode = code ?? 1;
  } finally {
    await cluster.stop();
    rmSync(state, { recursive: true, force: true });
  }
});
