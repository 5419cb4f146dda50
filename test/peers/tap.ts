import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Flow } from '../../scripts/lib/flow/flow.ts';
import { readFlows } from '../../scripts/lib/formats/read.ts';
import { paths } from '../../scripts/lib/plan/pod-contract.ts';
import { mitmproxyProgram, pythonProgram } from '../flows/python.ts';
import { run } from '../setup/child.ts';
import { bundlePeers, type Peer } from './bundle.ts';

const TEMPLATES = fileURLToPath(new URL('../../templates', import.meta.url));
const PACKAGES = ['addon', 'door', 'observer'];
const POLL_MS = 50;

/** What scripts/lib/plan/container.ts gives it as well, as far as traffic is concerned. */
const OPTIONS = [
  'server=false',
  'keep_host_header=true',
  'connection_strategy=lazy',
  'block_global=false',
  'validate_inbound_headers=false',
  'ssl_insecure=true',
  'stream_large_bodies=5m',
];

/** An option by which mitmproxy serves all connections, and changes none of them. */
export const CHANGING = 'body_size_limit=10g';

/** What a client's process said at its end: test/peers/ask.ts. */
export interface Answer {
  ok: boolean;
  error?: string;
  messages: string[];
  status?: number;
  [more: string]: unknown;
}

export interface Tap {
  /** Where the proxy listens for a port of the app's. */
  port(app: string): number;
  /** The flows that are written once there are so many that match. */
  flows(matches: (flow: Flow) => boolean, count?: number): Promise<Flow[]>;
  process: ChildProcess;
  /** Waits until its ports are open. */
  ready(): Promise<void>;
  /** Writes the flows alone into a file, without what tells followers that there are no more. @returns its path. */
  copyFlows(name: string): Promise<string>;
  /** Its exit status, and how long it took from here on, in ms. */
  ended(): Promise<{ code: number | null; ms: number }>;
  /** Where its files are. */
  folder: string;
  /** What it printed. */
  said(): string;
  /** The file of the certificate by which it signs others. */
  authority: string;
}

export interface TapOptions {
  /** Names of ports, each with LISTEN's protocol and the app's port. */
  ports: Record<string, [protocol: string, app: number]>;
  program?: 'mitmdump' | 'mitmweb' | undefined;
  options?: string[];
  /** Values of the addon's that take too long for a test, or are too large. */
  constants?: Record<string, number>;
  args?: string[];
  env?: NodeJS.ProcessEnv;
  /** Otherwise it is waited for until its ports are open. */
  isReady?: false;
}

/** Real servers, clients and proxies on this machine, all of which end with it. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'mittens-peers-'));
  private readonly children: ChildProcess[] = [];
  private readonly places = new Map<Peer, string>();

  static async open(): Promise<Bench> {
    const bench = new Bench();
    for (const [name, text] of Object.entries(await bundlePeers()))
      bench.places.set(name as Peer, bench.write(name, text));
    return bench;
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** Starts a server, and waits until it listens. */
  async serve(peer: Peer, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
    const child = this.start(process.execPath, [this.places.get(peer) ?? ''], env);
    await Promise.race([once(child.stdout ?? child, 'data'), failed(child, peer)]);
    return child;
  }

  /** Runs a client to its end. */
  async ask(peer: Peer, url: string, mode: string, env: NodeJS.ProcessEnv = {}): Promise<Answer> {
    const child = this.start(process.execPath, [this.places.get(peer) ?? '', url, mode], env);
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    await once(child, 'close');
    return JSON.parse(said) as Answer;
  }

  /** Starts the door with the real mitmproxy behind it, whose files are in a folder of its own. */
  async tap({
    ports,
    program = 'mitmdump',
    options: more = [],
    constants = {},
    args = [],
    env = {},
    isReady,
  }: TapOptions): Promise<Tap> {
    const folder = mkdtempSync(join(this.folder, 'tap-'));
    unpackPackages(folder, constants);
    const listens = await freePorts(Object.keys(ports).length);
    const names = Object.keys(ports);
    const port = (name: string) => listens[names.indexOf(name)] ?? Number.NaN;
    const pairs = Object.entries(ports).map(([name, [protocol, app]]) => `${port(name)}=${protocol}:${app}`);
    const quiet = program === 'mitmdump' ? ['flow_detail=0', 'termlog_verbosity=warn'] : [];
    const all = [`confdir=${folder}/conf`, ...OPTIONS, ...quiet, ...more];
    const set = all.flatMap((option) => ['--set', option]);
    const script = join(folder, basename(paths.addon), 'script.py');
    const mitmproxy = [siblingOf(program), '--scripts', script, ...set, ...args];
    // It opens its ports once mitmproxy has told its lane, so that every connection goes that way.
    const door = ['-m', 'door', `--ports=${pairs.join(',')}`, '--wait', '--', ...mitmproxy];
    const child = this.start(pythonProgram(), door, { PYTHONPATH: folder, ...env });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text) => {
        said += text;
      });
    const exit = once(child, 'exit');
    const file = placeIn(folder, paths.flows);
    const tap: Tap = {
      port,
      process: child,
      folder,
      authority: join(folder, 'conf/mitmproxy-ca-cert.pem'),
      said: () => said,
      ready: async () => await Promise.race([appears(placeIn(folder, paths.ready)), failed(child, program)]),
      copyFlows: async (name) => {
        const copy = join(this.folder, name);
        writeFileSync(copy, await flowBytesIn(file));
        return copy;
      },
      flows: async (matches, count = 1) => {
        for (;;) {
          const found = (await flowsIn(file)).filter(matches);
          if (found.length >= count) return found;
          if (child.exitCode !== null) throw new Error(`it has ended with ${found.length} flows: ${said}`);
          await sleep(POLL_MS);
        }
      },
      ended: async () => {
        const began = Date.now();
        const [code] = (await exit) as [number | null];
        return { code, ms: Date.now() - began };
      },
    };
    if (isReady !== false) await tap.ready();
    return tap;
  }

  /** Whether this mitmproxy knows an option. */
  async knowsOption(name: string, program: 'mitmdump' | 'mitmweb' = 'mitmdump'): Promise<boolean> {
    return (await run(siblingOf(program), ['--options'])).stdout.includes(`\n${name}:`);
  }

  close(): void {
    for (const { pid } of this.children) killTree(pid);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private start(command: string, args: string[], env: NodeJS.ProcessEnv): ChildProcess {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.children.push(child);
    // A pipe that nobody reads would fill.
    child.stderr?.resume();
    return child;
  }
}

/** Kills a process and its children: the door's mitmproxy would go on without it. */
function killTree(pid: number | undefined): void {
  if (pid === undefined || !existsSync(`/proc/${pid}/task/${pid}/children`)) return;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  // The door first: it would start them again.
  process.kill(pid, 'SIGKILL');
  for (const child of children.filter(Boolean)) killTree(Number(child));
}

/** Ports that are free now, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Where a path of the pods' is in a folder. */
export function placeIn(folder: string, path: string): string {
  return path.replace(/^\/tmp/, folder);
}

/** Puts the packages into a folder, and the paths that they use, with other limits. */
export function unpackPackages(folder: string, limits: Record<string, number> = {}): void {
  for (const name of PACKAGES)
    cpSync(join(TEMPLATES, name), join(folder, name), {
      recursive: true,
      filter: (path) => !path.includes('__pycache__'),
    });
  const addon = join(folder, basename(paths.addon));
  edit(join(addon, 'contract.json'), (text) => text.replaceAll('"/tmp/', `"${folder}/`));
  for (const [name, value] of Object.entries(limits))
    edit(join(addon, 'limits.py'), (text) => {
      assert.match(text, new RegExp(`^${name} = `, 'm'));
      return text.replace(new RegExp(`^${name} = .*$`, 'm'), `${name} = ${value}`);
    });
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

async function flowBytesIn(file: string): Promise<Buffer> {
  let end = 0;
  try {
    for await (const { place } of readFlows(file, () => undefined))
      end = (place?.offset ?? 0) + (place?.length ?? 0);
  } catch {
    // What follows the last one is no flow.
  }
  return readFileSync(file).subarray(0, end);
}

/** A flow file up to its end, or up to where the proxy says that there is no more. */
async function flowsIn(file: string): Promise<Flow[]> {
  const flows: Flow[] = [];
  try {
    for await (const { flow } of readFlows(file, () => undefined)) flows.push(flow);
  } catch {
    // It is not there yet, or this is its end.
  }
  return flows;
}

async function appears(file: string): Promise<void> {
  while (!existsSync(file)) await sleep(POLL_MS);
}

async function failed(child: ChildProcess, name: string): Promise<never> {
  let said = '';
  child.stderr?.on('data', (text) => {
    said += text;
  });
  await once(child, 'exit');
  throw new Error(`${name} has ended: ${said}`);
}

function siblingOf(program: 'mitmdump' | 'mitmweb'): string {
  return mitmproxyProgram('mitmdump').replace(/mitmdump$/, program);
}
