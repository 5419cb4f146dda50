import { finish } from './finish.ts';
import { readInputs } from './inputs.ts';
import { loadJob } from './job.ts';
import { attempt } from './step.ts';

await attempt(async () => {
  const job = loadJob(readInputs);
  if (job) await finish(job);
});
