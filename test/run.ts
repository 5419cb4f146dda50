// Runs test files, `run.ts [--context NAME] FILE…`. End-to-end tests get a pocket cluster, or with --context a real one.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run as runTests } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { run } from '../scripts/lib/cli/run.ts';
import { listenForInterrupts } from '../scripts/lib/util/interrupt.ts';
import { anyCluster } from './any-cluster.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { bundleScripts } from './scripts.ts';
import { directKubectl } from './setup/kubectl.ts';
import { setUp, TESTS } from './setup.ts';

/**
 * How many files run at a time. Most of their time they wait for pods; a real cluster's node may be small, and it is
 * shared by all of them.
 */
const CONCURRENCY = { real: 3, pocket: availableParallelism() + 1 };

await run(async () => {
  const { values, positionals: files } = parseArgs({
    options: { context: { type: 'string' } },
    allowPositionals: true,
  });
  const { signal } = listenForInterrupts();
  Object.assign(process.env, await setUp({ ...TESTS, mitmproxy: !values.context }, signal));
  const direct = directKubectl();
  if (direct) process.env.PATH = `${direct}:${process.env.PATH}`;
  const folder = mkdtempSync(join(tmpdir(), 'mittens-tests-'));
  const needsCluster = values.context !== undefined || files.some((file) => file.includes('e2e/'));
  const cluster = needsCluster ? await anyCluster(values.context) : undefined;
  try {
    Object.assign(process.env, {
      ...(cluster && { MITTENS_TEST_KUBECONFIG: cluster.kubeconfig }),
      // Without one kubectl would ask port 8080 of this machine, where somebody may listen.
      KUBECONFIG: cluster?.kubeconfig ?? writeKubeconfig(folder, 'https://127.0.0.1:1'),
      // Coverage is counted in the sources.
      ...(!process.env.NODE_V8_COVERAGE && {
        MITTENS_TEST_SCRIPTS: await bundleScripts(join(folder, 'scripts')),
      }),
      // Copies of flows that a tap keeps belong in no user's folder.
      XDG_STATE_HOME: folder,
    });
    await runFiles(files, CONCURRENCY[values.context ? 'real' : 'pocket'], signal);
  } finally {
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Runs each file in a process of its own, in the order given, so that the longest can come first. */
async function runFiles(files: string[], concurrency: number, signal: AbortSignal): Promise<void> {
  const paths = files.map((file) => resolve(file));
  const tests = runTests({ files: paths, concurrency, signal });
  tests.on('test:fail', ({ todo }) => {
    if (todo === undefined || todo === false) process.exitCode = 1;
  });
  for await (const text of tests.compose(new spec())) process.stdout.write(text);
}
