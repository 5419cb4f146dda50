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

/** What the Action's two steps share: where its files are, and who it is on the cluster. */
export interface Job {
  inputs: Inputs;
  folder: string;
  /** Stands in the records of its taps. */
  owner: string;
  /** A file. */
  kubeconfig: string | undefined;
  /** How much of each capture's log was printed, in characters. */
  printed: number[];
}

/** Begins, and saves what the post step has to know: before anything is changed. */
export function beginJob(inputs: Inputs): Job {
  if (process.platform === 'win32') throw new UserError('this Action runs on Linux and macOS');
  const { baseline, kubeconfig } = inputs;
  // Not in the post step: a file that is gone by then must not keep a Service from being given back.
  if (baseline && !existsSync(baseline)) throw new UserError(`input baseline: there is no file ${baseline}`);
  if (kubeconfig && !existsSync(kubeconfig)) maskCredentials(kubeconfig);
  const folder = mkdtempSync(join(process.env.RUNNER_TEMP || tmpdir(), 'mittens-'));
  const owner = formatOwner(process.env);
  saveState('folder', folder);
  saveState('owner', owner);
  return createJob(inputs, folder, owner);
}

/** The job that the main step began; undefined when it did not, or has ended it. */
export function loadJob(readInputs: () => Inputs): Job | undefined {
  const folder = getState('folder');
  if (folder === '' || getState('over') !== '') return undefined;
  const printed = JSON.parse(getState('printed') || '[]');
  return { ...createJob(readInputs(), folder, getState('owner')), printed };
}

/** The post step prints the rest. */
export function savePrinted({ printed }: Job): void {
  saveState('printed', printed);
}

/** Nothing is left for the post step. */
export function endJob(): void {
  saveState('over', 'true');
}

/** The flags of a capture of this job's Service with that number. */
export function captureFlags({ inputs, folder, kubeconfig }: Job, number: number): Flags<'capture'> {
  const { context, mode, protocol, image, timeout, filter, targets } = inputs;
  const port = targets[number]?.ports ?? [];
  const output = jobFile(folder, number, 'mitm');
  const how = { protocol, 'no-restart': mode === 'ephemeral' };
  return { context, kubeconfig, port, ...how, image, timeout, filter, output };
}

function createJob(inputs: Inputs, folder: string, owner: string): Job {
  const kubeconfig = kubeconfigFile(inputs.kubeconfig, folder);
  return { inputs, folder, owner, kubeconfig, printed: [] };
}

/** An address at which people see whose tap it is; its end tells two steps of a job apart. */
function formatOwner(env: NodeJS.ProcessEnv): string {
  const { GITHUB_SERVER_URL: server = 'https://github.com', GITHUB_REPOSITORY: repository = 'unknown' } = env;
  const { GITHUB_RUN_ID: run = '0', GITHUB_RUN_ATTEMPT: attempt = '1', GITHUB_JOB: job = '' } = env;
  const mark = randomBytes(4).toString('hex');
  return `${server}/${repository}/actions/runs/${run}/attempts/${attempt}#${job}-${mark}`;
}

function kubeconfigFile(kubeconfig: string | undefined, folder: string): string | undefined {
  // A path has no line break and no brace; a file that is gone by the post step is kubectl's to tell.
  if (kubeconfig === undefined || !/[\n{]/.test(kubeconfig) || existsSync(kubeconfig)) return kubeconfig;
  const file = join(folder, 'kubeconfig');
  writeFileSync(file, kubeconfig, { mode: 0o600 });
  return file;
}

/** The fields of a kubeconfig's users that nobody else may know. */
const CREDENTIALS = ['token', 'password', 'client-key-data', 'access-token', 'id-token', 'refresh-token'];

/**
 * Masks the credentials of a kubeconfig in the job's logs.
 * @throws UserError for a text that is none.
 */
function maskCredentials(text: string): void {
  let config: unknown;
  try {
    config = load(text);
  } catch {
    // Its error would show what is in it.
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
