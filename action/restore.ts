import { existsSync } from 'node:fs';
import { untapAndSaveFlows } from '../scripts/lib/capture/untap-and-save.ts';
import { formatter } from '../scripts/lib/cli/caller.ts';
import { mittensCommand } from '../scripts/lib/cli/to-run.ts';
import { findActiveTap } from '../scripts/lib/tap/active-tap.ts';
import { createContext, inNamespace } from '../scripts/lib/tap/context.ts';
import { resolve } from '../scripts/lib/tap/resolve.ts';
import { UserError } from '../scripts/lib/util/error.ts';
import { message } from '../scripts/lib/util/message.ts';
import { hasFailed, lastWords, stopCapture } from './capture-process.ts';
import { captureFlags, type Job } from './job.ts';
import { jobFile } from './order.ts';

/** A Service that could not be restored, or was restored before the end of the job. */
export interface Failure {
  service: string;
  /** In one line. */
  why: string;
  /** The command that restores it; undefined when it is restored. */
  repair: string | undefined;
}

/** Restores all Services of a job, even if their captures have died. */
export async function restoreAll(job: Job): Promise<Failure[]> {
  const failures = await Promise.all(job.inputs.targets.map((_, number) => restore(job, number)));
  return failures.filter((failure) => failure !== undefined);
}

async function restore(job: Job, number: number): Promise<Failure | undefined> {
  const service = job.inputs.targets[number]?.service ?? '';
  const hasEndedInOrder = await stopCapture(job.folder, number, job.inputs.timeout);
  if (hasEndedInOrder || !existsSync(jobFile(job.folder, number, 'begun'))) return undefined;
  try {
    if ((await untapOwn(job, number, service)) || !hasFailed(job.folder, number)) return undefined;
    return { service, why: lastWords(job.folder, number).message, repair: undefined };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { service, why: error.message, repair: formatRepair(job, service) };
  }
}

/**
 * Restores a Service, if the tap is this job's. Fetches the flows that the pods still have.
 * @returns false when the Service has no tap of this job.
 */
async function untapOwn(job: Job, number: number, argument: string): Promise<boolean> {
  const flags = captureFlags(job, number);
  const { context, id } = await resolve(createContext(flags), argument);
  const tap = await findActiveTap(context.kubectl, id);
  if (tap?.record.owner !== job.owner) return false;
  const inside = inNamespace(context, tap.service.metadata.namespace);
  await untapAndSaveFlows(inside, id, tap.record.id, jobFile(job.folder, number, 'rest.mitm'));
  return true;
}

function formatRepair({ inputs }: Job, service: string): string {
  return formatter()(message`${mittensCommand('off', [service], { context: inputs.context })}`);
}
