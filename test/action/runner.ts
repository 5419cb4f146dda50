import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Action {
  inputs: Record<string, { default?: string; required?: boolean }>;
  runs: { main: string; post: string };
}

const ACTION = load(readFileSync(join(ROOT, 'action.yml'), 'utf8')) as Action;

/** How a step of the Action ended, and what it left in the runner's files. */
export interface StepResult {
  code: number | null;
  /** What stands in the job's log: stdout and stderr. */
  log: string;
  outputs: Record<string, string>;
  summary: string;
}

export interface JobOptions {
  /** The node that runs it. */
  node?: string;
  env?: NodeJS.ProcessEnv;
  /** The job of a matrix. */
  matrix?: { index: number; total: number };
}

/** Runs the bundled Action as GitHub's runner does: main, then post, each a process, with files for what they say. */
export class RunnerJob {
  readonly temp: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #node: string;
  #state: Record<string, string> = {};
  #child: ChildProcess | undefined;
  log = '';

  constructor(
    inputs: Record<string, string>,
    { node = process.execPath, env = {}, matrix }: JobOptions = {},
  ) {
    this.temp = mkdtempSync(join(tmpdir(), 'mittens-runner-'));
    const workspace = join(this.temp, 'workspace');
    mkdirSync(workspace);
    this.#node = node;
    this.#env = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      KUBECONFIG: process.env.KUBECONFIG,
      XDG_STATE_HOME: process.env.XDG_STATE_HOME,
      MITTENS_IMAGE: process.env.MITTENS_IMAGE,
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: workspace,
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'octo/shop',
      GITHUB_RUN_ID: '4711',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_JOB: 'e2e',
      GITHUB_ACTION: '__octo_mittens',
      RUNNER_TEMP: this.temp,
      ...inputVariables(inputs, matrix ?? { index: 0, total: 1 }),
      ...env,
    };
  }

  async main(): Promise<StepResult> {
    return await this.#run('main');
  }

  /** @param inputs otherwise than main had them. */
  async post(inputs: Record<string, string> = {}): Promise<StepResult> {
    for (const [name, value] of Object.entries(inputs)) this.#env[toVariable(name)] = value;
    return await this.#run('post');
  }

  /** What the runner does when a job is cancelled, or what a machine's trouble does. */
  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async #run(step: 'main' | 'post'): Promise<StepResult> {
    const file = (name: string) => join(this.temp, `${step}-${name}`);
    const files = ['OUTPUT', 'STATE', 'STEP_SUMMARY', 'ENV', 'PATH'];
    for (const name of files) writeFileSync(file(name), '');
    const env = {
      ...this.#env,
      ...Object.fromEntries(files.map((name) => [`GITHUB_${name}`, file(name)])),
      ...Object.fromEntries(Object.entries(this.#state).map(([key, value]) => [`STATE_${key}`, value])),
    };
    const cwd = this.#env.GITHUB_WORKSPACE;
    const child = spawn(this.#node, [join(ROOT, ACTION.runs[step])], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.log = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data) => {
        this.log += data;
      });
    // Not its close: what it leaves in the background may hold on to nothing of ours.
    const [code] = await once(child, 'close');
    this.#state = { ...this.#state, ...readPairs(readFileSync(file('STATE'), 'utf8')) };
    return {
      code,
      log: this.log,
      outputs: readPairs(readFileSync(file('OUTPUT'), 'utf8')),
      summary: readFileSync(file('STEP_SUMMARY'), 'utf8'),
    };
  }
}

/** Inputs with their defaults, as the runner gives them. */
function inputVariables(
  inputs: Record<string, string>,
  matrix: { index: number; total: number },
): NodeJS.ProcessEnv {
  for (const name of Object.keys(inputs))
    if (!(name in ACTION.inputs)) throw new Error(`action.yml has no input ${name}`);
  const contexts: Record<string, string> = {
    '${{ strategy.job-index }}': String(matrix.index),
    '${{ strategy.job-total }}': String(matrix.total),
  };
  const values = Object.entries(ACTION.inputs).map(([name, { default: byDefault = '' }]) => {
    const value = inputs[name] ?? contexts[byDefault] ?? byDefault;
    return [toVariable(name), value];
  });
  return Object.fromEntries(values);
}

function toVariable(input: string): string {
  return `INPUT_${input.replaceAll(' ', '_').toUpperCase()}`;
}

/** What stands in one of the runner's files: https://docs.github.com/actions/reference/workflow-commands-for-github-actions. */
function readPairs(text: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  const pattern = /^([^\n=]+?)<<(\S+)\n([\s\S]*?)\n?\2$/gm;
  for (const [, name = '', , value = ''] of text.matchAll(pattern)) pairs[name] = value;
  return pairs;
}
