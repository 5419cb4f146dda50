import { setTimeout as sleep } from 'node:timers/promises';
import { startCapture, waitForTap } from './capture-process.ts';
import { fail, finish, reportFailure } from './finish.ts';
import { readInputs } from './inputs.ts';
import { beginJob, captureFlags, endJob, type Job, savePrinted } from './job.ts';
import { printLog } from './log.ts';
import { restoreAll } from './restore.ts';
import { runScript } from './script.ts';
import { attempt } from './step.ts';

await attempt(async () => {
  const job = beginJob(readInputs());
  await tapAll(job);
  if (job.inputs.run === undefined) return;
  const code = await runScript(job.inputs.run, job.folder);
  await finish(job);
  endJob();
  if (code !== 0) fail(`run ended with exit code ${code}`);
});

/** Taps all Services, or none: when one can't be tapped, restores the others. */
async function tapAll(job: Job): Promise<void> {
  const { targets } = job.inputs;
  for (const [number, { service }] of targets.entries())
    startCapture(job.folder, number, { service, flags: captureFlags(job, number) }, job.owner);
  const tapped = Promise.allSettled(targets.map((_, number) => waitForTap(job.folder, number)));
  for (let done = false; !done; ) {
    done = await Promise.race([tapped.then(() => true), sleep(500).then(() => false)]);
    for (const number of targets.keys()) printLog(job, number);
  }
  savePrinted(job);
  const failed = (await tapped).filter((result) => result.status === 'rejected');
  if (failed.length === 0) return;
  const failures = (await restoreAll(job)).filter(({ repair }) => repair !== undefined);
  for (const failure of failures) reportFailure(job, failure);
  if (failures.length === 0) endJob();
  throw failed[0]?.reason;
}
