import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Flow } from '../../scripts/lib/flow/flow.ts';
import { readFlows } from '../../scripts/lib/formats/read.ts';
import { execute, type Result } from '../execute.ts';
import { checkHints } from '../hints.ts';
import { commandLine } from '../scripts.ts';
import type { Namespace } from './namespace.ts';
import { until } from './until.ts';

/** A capture that runs beside the test. */
export class Capture {
  readonly file: string;
  readonly #service: string;
  readonly #shop: Namespace;
  readonly #child: ChildProcess;
  stderr = '';

  /** Of the Service web, or of one that is named in the first argument. */
  constructor(shop: Namespace, file: string, ...args: string[]) {
    const [service, ...flags] = args[0]?.startsWith('-') === false ? args : ['web', ...args];
    this.#service = service ?? 'web';
    this.#shop = shop;
    this.file = file;
    const [node = '', ...line] = commandLine('capture', [
      this.#service,
      '-n',
      shop.name,
      '-o',
      file,
      ...flags,
    ]);
    this.#child = spawn(node, line, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.on('data', (data) => {
      this.stderr += data;
    });
  }

  /** Waits until it says something, or has ended. */
  async says(what: string): Promise<void> {
    await until(`capture says: ${what}`, () => {
      assert.equal(this.#child.exitCode, null, this.stderr);
      return this.stderr.includes(what);
    });
  }

  /** Sends requests until one is in the file: kube-proxy takes a moment to follow a Service. */
  async records(path: string): Promise<void> {
    await this.says('is tapped');
    await until(`${path} is recorded`, async () => {
      await this.#shop.request(this.#service, path);
      return (await pathsIn(this.file)).includes(path);
    });
  }

  /** Waits until it has so many requests of a load. */
  async recordsLoad(count: number): Promise<void> {
    await until(
      `${count} requests of the load are recorded`,
      async () => (await loadIn(this.file, false)).length >= count,
    );
  }

  /** Kills what connects it with the pods, as a network that breaks would. */
  async loseConnections(): Promise<void> {
    await execute('pkill', ['-KILL', '-P', String(this.#child.pid), '-f', 'exec pod/']);
  }

  /** Kills it and what it has started, as a machine that is lost would. */
  async die(): Promise<void> {
    this.#child.kill('SIGKILL');
    await execute('pkill', ['-KILL', '-f', `namespace=${this.#shop.name} exec pod/`]);
  }

  /** Ends it as Ctrl-C does. */
  async stop(): Promise<Result> {
    this.#child.kill('SIGINT');
    return await this.ended();
  }

  async ended(): Promise<Result> {
    if (this.#child.exitCode === null) await once(this.#child, 'close');
    checkHints(this.stderr);
    return { code: this.#child.exitCode ?? 1, stdout: '', stderr: this.stderr };
  }
}

export async function flowsIn(file: string, whole = true): Promise<Flow[]> {
  const flows: Flow[] = [];
  for await (const { flow } of readFlows(file, () => assert.ok(!whole, 'the last flow is cut')))
    flows.push(flow);
  return flows;
}

/** The paths of the requests in a file, which may still grow. */
export async function pathsIn(file: string): Promise<string[]> {
  return (await flowsIn(file, false)).map(({ request }) => request?.path ?? '');
}

/** The numbers of the load's requests that are in a file. @param whole that no flow at its end is cut. */
export async function loadIn(file: string, whole = true): Promise<number[]> {
  const flows = await flowsIn(file, whole);
  return flows
    .map(({ request }) => request?.path ?? '')
    .flatMap((path) => (path.startsWith('/load?n=') ? [Number(path.slice(8))] : []))
    .sort((a, b) => a - b);
}

/** The numbers from 1 on. */
export function oneTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
