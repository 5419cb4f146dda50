import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as https } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PocketCluster, startCluster } from '../src/cluster.ts';

/** The result of a kubectl command. */
export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

// biome-ignore lint/suspicious/noExplicitAny: objects of any kind
type Any = any;

/** A test file's own pocket cluster, and kubectl for it. */
export class Pocket {
  readonly #cluster: PocketCluster;

  constructor(cluster: PocketCluster) {
    this.#cluster = cluster;
  }

  static async start(): Promise<Pocket> {
    const pocket = new Pocket(await startCluster());
    await pocket.until(
      'the namespace is there',
      async () => (await pocket.try(['get', 'sa', 'default'])).code === 0,
    );
    return pocket;
  }

  get kubeconfig(): string {
    return this.#cluster.kubeconfig;
  }

  async stop(): Promise<void> {
    await this.#cluster.stop();
  }

  /** Runs kubectl; it may fail. */
  try(args: string[], input?: unknown): Promise<Said> {
    const options = { env: { ...process.env, KUBECONFIG: this.#cluster.kubeconfig } };
    return new Promise((resolve) => {
      const child = execFile('kubectl', args, options, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 128) : 0, stdout, stderr }),
      );
      child.stdin?.end(input === undefined ? '' : JSON.stringify(input));
    });
  }

  /** Runs kubectl; it must succeed. Returns its output. */
  async run(args: string[], input?: unknown): Promise<string> {
    const { code, stdout, stderr } = await this.try(args, input);
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** Runs kubectl; it must fail. Returns its error output. */
  async refuses(args: string[], input?: unknown): Promise<string> {
    const { code, stdout, stderr } = await this.try(args, input);
    assert.notEqual(code, 0, `kubectl ${args.join(' ')}: ${stdout}`);
    return stderr;
  }

  /** Runs kubectl until it ends or is stopped. */
  follow(args: string[]): { said(): string; ended: Promise<unknown>; stop(): void } {
    const env = { ...process.env, KUBECONFIG: this.kubeconfig };
    const child = spawn('kubectl', args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (data) => {
      said += data;
    });
    return { said: () => said, ended: once(child, 'close'), stop: () => child.kill() };
  }

  /** Posts an object without kubectl, and returns the API's answer. */
  async post(path: string, object: object): Promise<Any> {
    const { clusters, users } = JSON.parse(readFileSync(this.kubeconfig, 'utf8'));
    const { server, 'certificate-authority-data': authority } = clusters[0].cluster;
    const request = https(`${server}${path}`, {
      method: 'POST',
      ca: Buffer.from(authority, 'base64'),
      headers: { authorization: `Bearer ${users[0].user.token}`, 'content-type': 'application/json' },
      agent: false,
    });
    request.end(JSON.stringify(object));
    const [response] = await once(request, 'response');
    return JSON.parse(await text(response));
  }

  async make(...objects: object[]): Promise<void> {
    for (const object of objects) await this.run(['create', '-f', '-'], object);
  }

  async get(kind: string, name: string): Promise<Any> {
    return JSON.parse(await this.run(['get', kind, name, '-o', 'json']));
  }

  /** Waits until an object fulfils a condition, and returns it. */
  async see(kind: string, name: string, what: string, isSo: (object: Any) => unknown): Promise<Any> {
    let seen: Any;
    await this.until(`${kind} ${name}: ${what}`, async () => {
      const { code, stdout } = await this.try(['get', kind, name, '-o', 'json']);
      seen = code === 0 ? JSON.parse(stdout) : undefined;
      return seen && isSo(seen);
    });
    return seen;
  }

  async until(what: string, isSo: () => Promise<unknown>): Promise<void> {
    for (const end = Date.now() + 30_000; !(await isSo()); await sleep(100))
      assert.ok(Date.now() < end, `in 30 s it did not come true that ${what}`);
  }
}

/** The command of a container that does nothing, and ends at once on SIGTERM. */
export const IDLE = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'];

export function makePod(name: string, spec: object = {}, metadata: object = {}): object {
  const containers = [{ name: 'app', image: 'node:20', command: IDLE }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec: { containers, ...spec } };
}

/** A workload whose pods do nothing, labelled app=NAME. */
export function makeWorkload(kind: string, name: string, spec: object = {}): object {
  const labels = { app: name };
  const { spec: pod } = makePod(name, { terminationGracePeriodSeconds: 5 }) as { spec: object };
  const template = { metadata: { labels }, spec: pod };
  return {
    ...{ apiVersion: 'apps/v1', kind, metadata: { name } },
    spec: { selector: { matchLabels: labels }, template, ...spec },
  };
}
