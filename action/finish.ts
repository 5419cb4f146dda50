import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as core from '@actions/core';
import { Comparable, compare, type Difference } from '../scripts/lib/flow/diff.ts';
import { readFlows } from '../scripts/lib/formats/read.ts';
import { UserError } from '../scripts/lib/util/error.ts';
import { gather, type Harvest } from './harvest.ts';
import { FORMATS } from './inputs.ts';
import type { Job } from './job.ts';
import { harmless, print, printLog } from './log.ts';
import { type Failure, restoreAll } from './restore.ts';
import { formatRequest, formatStatus, formatSummary } from './summary.ts';
import { type Artifact, upload } from './upload.ts';

/** The length of a request in an annotation, in characters. */
const MAX_NAME = 200;

/**
 * Ends a job: restores the Services, writes and uploads the files, and reports. An error with the flows never keeps a
 * Service from being restored.
 */
export async function finish(job: Job): Promise<void> {
  const failures = await restoreAll(job);
  for (const number of job.inputs.targets.keys()) printLog(job, number);
  for (const failure of failures) reportFailure(job, failure);
  const harvest = await gather(job);
  for (const warning of harvest.warnings) core.warning(harmless(warning));
  const problems = listProblems(job, harvest);
  for (const problem of problems) fail(problem);
  const differences = await compareWithBaseline(job, harvest);
  const files = harvest.services.flatMap((service) => service.files);
  const artifact = job.inputs.upload
    ? await tryUpload(
        job,
        files.map(({ path }) => path),
      )
    : undefined;
  for (const { service, flows } of harvest.services) print(`${service}: ${flows} flows`);
  setOutputs(harvest, artifact);
  if (job.inputs.summary)
    writeSummary(formatSummary({ harvest, failures, problems, differences, artifactUrl: artifact?.url }));
  rmSync(join(job.folder, 'kubeconfig'), { force: true });
}

/** Fails the job with a message. */
export function fail(message: string): void {
  core.setFailed(harmless(message));
}

export function reportFailure(job: Job, { service, why, repair }: Failure): void {
  const message = `${service} could not be restored: ${why}\nRepair it: ${repair}`;
  if (repair === undefined) fail(`${service} was restored before the end of the job: ${why}`);
  else if (job.inputs.ignoreFailedClean) core.warning(harmless(message));
  else fail(message);
}

/** The reasons in the flows why the job fails. */
function listProblems({ inputs }: Job, { failing, isExpected }: Harvest): string[] {
  const problems: string[] = [];
  if (failing.count > 0) {
    const first = failing.first
      .map((flow) => `${formatRequest(flow).slice(0, MAX_NAME)}: ${formatStatus(flow)}`)
      .join('\n');
    const flows = failing.count === 1 ? '1 flow matches' : `${failing.count} flows match`;
    problems.push(`${flows} ${core.getInput('fail-on')}\n${first}`);
  }
  if (inputs.expect && !isExpected) problems.push(`no flow matches ${core.getInput('expect')}`);
  return problems;
}

async function compareWithBaseline({ inputs }: Job, harvest: Harvest): Promise<Difference[] | undefined> {
  if (inputs.baseline === undefined) return undefined;
  const before = new Comparable();
  try {
    for await (const { flow } of readFlows(inputs.baseline, () => undefined)) before.add(flow);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    fail(`input baseline: ${error.message}`);
    return undefined;
  }
  return compare(before, harvest.comparable);
}

/** Uploads the files. A failure is only a warning. */
async function tryUpload(job: Job, files: string[]): Promise<Artifact | undefined> {
  try {
    return await upload(job, files, join(job.folder, 'flows'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const files = join(job.folder, 'flows');
    const hint = `the files are in ${files} until the job ends; with the input run a later step can upload them`;
    core.warning(harmless(`the flows were not uploaded: ${why}\n${hint}`));
    return undefined;
  }
}

function setOutputs({ services }: Harvest, artifact: Artifact | undefined): void {
  const files = services.flatMap((service) => service.files);
  const sum = (count: 'flows' | 'errors') => services.reduce((sum, service) => sum + service[count], 0);
  core.setOutput('files', files.map(({ path }) => path).join('\n'));
  for (const format of FORMATS) {
    const paths = files.filter((file) => file.format === format).map(({ path }) => path);
    core.setOutput(format, paths.join('\n'));
  }
  core.setOutput('flow-count', sum('flows'));
  core.setOutput('error-count', sum('errors'));
  core.setOutput('artifact-id', artifact?.id ?? '');
  core.setOutput('artifact-url', artifact?.url ?? '');
  core.setOutput('artifact-digest', artifact?.digest ?? '');
}

/** Writes the summary, if the runner has a file for it. */
function writeSummary(summary: string): void {
  const file = process.env.GITHUB_STEP_SUMMARY;
  if (file) appendFileSync(file, summary);
}
