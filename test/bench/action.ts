import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunnerJob } from '../action/runner.ts';

/** How long the Action's main step takes until its first kubectl, beside the start of node alone. Medians of 9. */

const TIMES = 9;
const folder = mkdtempSync(join(tmpdir(), 'mittens-bench-'));
const first = join(folder, 'first');
const kubectl = join(folder, 'kubectl');
writeFileSync(
  kubectl,
  `#!/bin/sh\n[ -e ${first} ] || date +%s%N >${first}\necho 'error: no cluster' >&2\nexit 1\n`,
);
chmodSync(kubectl, 0o755);

async function mainToKubectl(): Promise<number> {
  rmSync(first, { force: true });
  const job = new RunnerJob({ service: 'shop/web' }, { env: { PATH: `${folder}:${process.env.PATH}` } });
  const began = Date.now();
  await job.main();
  rmSync(job.temp, { recursive: true });
  if (!existsSync(first)) throw new Error('kubectl was not started');
  return Number(readFileSync(first, 'utf8')) / 1e6 - began;
}

async function nodeAlone(): Promise<number> {
  const began = performance.now();
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
  return performance.now() - began;
}

async function median(measure: () => Promise<number>): Promise<number> {
  const all: number[] = [];
  for (let times = 0; times < TIMES; times++) all.push(await measure());
  return all.sort((a, b) => a - b)[Math.floor(TIMES / 2)] ?? 0;
}

try {
  const [node, main] = [await median(nodeAlone), await median(mainToKubectl)];
  const ratio = (main / node).toFixed(1);
  process.stdout.write(
    `main until its first kubectl: ${main.toFixed(0)} ms, ${ratio} × the start of node (${node.toFixed(0)} ms)\n`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
