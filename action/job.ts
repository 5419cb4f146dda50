import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getState, saveState, setSecret } from '@actions/core';
import { load } from 'js-yaml';
import type { Flags } from '../scripts/lib/cli/flags.ts';
import { UserError } from '../scripts/lib/util/error.ts';
import type { Inputs } from './inputs.ts';
import { jobFile } from './order.ts';

/** What the main step and the post step share. */
export interface Job {
  inputs: Inputs;
  folder: string;
  /** The owner in the records of its taps. */
  owner: string;
  /** The path of a file. */
  kubeconfig: string | undefined;
  /** How much of each capture's log is printed, in characters. */
  printed: number[];
}

/** Begins a job. Saves what the post step needs before anything is changed. */
export function beginJob(inputs: Inputs): Job {
  if (process.platform === 'win32') throw new UserError('this Action runs on Linux and macOS');
  const { baseline, kubeconfig } = inputs;
  // Checked here: in the post step, a missing file must not keep a Service from being restored.
  if (baseline && !existsSync(baseline)) throw new UserError(`input baseline: there is no file ${baseline}`);
  if (kubeconfig && !existsSync(kubeconfig)) maskCredentials(kubeconfig);
  const folder = mkdtempSync(join(process.env.RUNNER_TEMP || tmpdir(), 'mittens-'));
  const owner = formatOwner(process.env);
  saveState('folder', folder);
  saveState('owner', owner);
  return createJob(inputs, folder, owner);
}

/** The job of the main step; undefined when the main step did not begin it, or has ended it. */
export function loadJob(readInputs: () => Inputs): Job | undefined {
  const folder = getState('folder');
  if (folder === '' || getState('over') !== '') return undefined;
  const printed = JSON.parse(getState('printed') || '[]');
  return { ...createJob(readInputs(), folder, getState('owner')), printed };
}

/** Saves how much is printed. The post step prints the rest. */
export function savePrinted({ printed }: Job): void {
  saveState('printed', printed);
}

/** Leaves nothing to do for the post step. */
export function endJob(): void {
  saveState('over', 'true');
}

/** The flags of a capture, by the number of its Service. */
export function captureFlags({ inputs, folder, kubeconfig }: Job, number: number): Flags<'capture'> {
  const { context, mode, protocol, engine, image, timeout, filter, targets } = inputs;
  const port = targets[number]?.ports ?? [];
  const output = jobFile(folder, number, 'mitm');
  const how = { protocol, engine, 'no-restart': mode === 'ephemeral' };
  return { context, kubeconfig, port, ...how, image, timeout, filter, output };
}

function createJob(inputs: Inputs, folder: string, owner: string): Job {
  const kubeconfig = kubeconfigFile(inputs.kubeconfig, folder);
  return { inputs, folder, owner, kubeconfig, printed: [] };
}

/** The URL of the run, so that people see whose tap it is. Its random end differs between steps of a job. */
function formatOwner(env: NodeJS.ProcessEnv): string {
  const { GITHUB_SERVER_URL: server = 'https://github.com', GITHUB_REPOSITORY: repository = 'unknown' } = env;
  const { GITHUB_RUN_ID: run = '0', GITHUB_RUN_ATTEMPT: attempt = '1', GITHUB_JOB: job = '' } = env;
  const mark = randomBytes(4).toString('hex');
  return `${server}/${repository}/actions/runs/${run}/attempts/${attempt}#${job}-${mark}`;
}

function kubeconfigFile(kubeconfig: string | undefined, folder: string): string | undefined {
  // A path has neither line break nor brace. kubectl reports a file that is gone in the post step.
  if (kubeconfig === undefined || !/[\n{]/.test(kubeconfig) || existsSync(kubeconfig)) return kubeconfig;
  const file = join(folder, 'kubeconfig');
  writeFileSync(file, kubeconfig, { mode: 0o600 });
  return file;
}

/** The secret fields of a kubeconfig's users. */
const CREDENTIALS = ['token', 'password', 'client-key-data', 'access-token', 'id-token', 'refresh-token'];

/**
 * Masks the credentials of a kubeconfig in the job's logs.
 * @throws UserError when the text is not a kubeconfig.
 */
function maskCredentials(text: string): void {
  let config: unknown;
  try {
    config = load(text);
  } catch {
    // The error of the parser would show the content.
  }
  const isConfig = typeof config === 'object' && config !== null && 'clusters' in config;
  if (!isConfig)
    throw new UserError('input kubeconfig: it is neither a file nor the content of a kubeconfig');
  mask(config);
}

function mask(value: unknown, name = ''): void {
  if (typeof value === 'string' && CREDENTIALS.includes(name)) setSecret(value);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) mask(item, key);
}
