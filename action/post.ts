import { finish } from './finish.ts';
import { readInputs } from './inputs.ts';
import { savedJob } from './job.ts';
import { attempt } from './step.ts';

await attempt(async () => {
  const job = savedJob(readInputs);
  if (job) await finish(job);
});
