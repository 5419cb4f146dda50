import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { printTable } from '../../scripts/lib/util/table.ts';
import { mitmproxyProgram, pythonProgram } from '../flows/python.ts';
import { freePorts, unpackPackages } from '../peers/tap.ts';
import { setUp } from '../setup.ts';

/**
 * What a tap costs: an app alone, behind bare mitmdump, and behind the door, which watches, has mitmproxy change, or
 * writes a wire file. The proxy has a core of its own, where there are two. Usage: proxies [SECONDS]
 */

const SECONDS = Number(process.argv[2] ?? 3);
const TICKS_PER_SECOND = 100; // sysconf(_SC_CLK_TCK) on Linux.

/** A load: so many connections, kept open or new for each request. */
const LOADS = [
  ['1', '1'],
  ['16', '16'],
  ['64', '64'],
  ['16, new', '16', 'new'],
] as const;

interface Result {
  answered: number;
  failed: number;
  p50: number;
  p99: number;
  /** CPU of the proxy, in µs a request. */
  cpu: number;
}

const folder = mkdtempSync(join(tmpdir(), 'mittens-bench-'));
const children: ChildProcess[] = [];

/** Starts a process on one core: 0 is the proxy's. */
function start(core: 0 | 1, command: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const [program = '', ...args] = ['taskset', '--cpu-list', String(core), ...command];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  children.push(child);
  return child;
}

const script = (name: string) =>
  ['--import', 'tsx', fileURLToPath(new URL(`load/${name}.ts`, import.meta.url))] as const;

async function firstLine(child: ChildProcess): Promise<string> {
  const [data] = (await once(child.stdout ?? child, 'data')) as [Buffer];
  return String(data).trim();
}

/** A proxy in front of the app. */
interface Proxy {
  port: number;
  process: ChildProcess;
}

async function startMitmdump(app: number): Promise<Proxy> {
  const [port = 0] = await freePorts(1);
  const options = [`confdir=${folder}/bare`, 'flow_detail=0'].flatMap((option) => ['--set', option]);
  const process = start(0, [
    mitmproxyProgram('mitmdump'),
    ...['--mode', `reverse:http://127.0.0.1:${app}@${port}`, ...options],
  ]);
  await untilListening(port);
  return { port, process };
}

/** The door, with its files in a folder of its own. */
async function startDoor(app: number, name: string, more: string[], settings?: string[]): Promise<Proxy> {
  const place = join(folder, name);
  unpackPackages(place);
  const [port = 0] = await freePorts(1);
  const options = [`confdir=${place}/conf`, 'server=false', 'flow_detail=0', ...(settings ?? [])];
  const mitmdump = [mitmproxyProgram('mitmdump'), '--scripts', join(place, 'addon/script.py')];
  const behind = settings ? ['--', ...mitmdump, ...options.flatMap((option) => ['--set', option])] : [];
  const door = [pythonProgram(), '-m', 'door', `--ports=${port}=auto:${app}`, ...more, ...behind];
  const process = start(0, door, { PYTHONPATH: place });
  await until(() => existsSync(join(place, 'mittens.ready')));
  return { port, process };
}

async function untilListening(port: number): Promise<void> {
  await until(() => listeningPorts().has(port));
}

function listeningPorts(): Set<number> {
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => readFileSync(file, 'utf8').split('\n'));
  const listening = lines.map((line) => line.trim().split(/\s+/)).filter(([, , , state]) => state === '0A');
  return new Set(listening.map(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16)));
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20);
}

/** CPU that a process and its children have used, in ticks. */
function ticks(pid: number | undefined): number {
  if (pid === undefined) return 0;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const own = Number(stat[11]) + Number(stat[12]);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return own + (children ? children.split(' ').reduce((sum, child) => sum + ticks(Number(child)), 0) : 0);
}

async function measure({ port, process: proxy }: Partial<Proxy>, load: readonly string[]): Promise<Result> {
  const before = ticks(proxy?.pid);
  const [connections = '', ...how] = load;
  const loader = start(1, [
    process.execPath,
    ...script('load'),
    ...[String(port), connections, String(SECONDS), ...how],
  ]);
  const result = JSON.parse(await firstLine(loader)) as Result;
  const used = ((ticks(proxy?.pid) - before) / TICKS_PER_SECOND) * 1e6;
  return { ...result, cpu: Math.round(used / Math.max(1, result.answered)) };
}

async function measureAll(name: string, proxy: Partial<Proxy>): Promise<(string | number)[][]> {
  const rows: (string | number)[][] = [];
  for (const [what, ...load] of LOADS) {
    const { answered, failed, p50, p99, cpu } = await measure(proxy, load);
    rows.push([name, what, Math.round(answered / SECONDS), failed, p50, p99, cpu]);
  }
  proxy.process?.kill('SIGKILL');
  return rows;
}

Object.assign(
  process.env,
  await setUp({ kubectl: '1.20', mitmproxy: true, programs: [] }, AbortSignal.timeout(6e5)),
);
try {
  const app = Number(await firstLine(start(1, [process.execPath, ...script('app')])));
  const ways: [string, () => Promise<Partial<Proxy>>][] = [
    ['direct', async () => ({ port: app })],
    ['bare mitmdump', async () => await startMitmdump(app)],
    ['door, watching', async () => await startDoor(app, 'watch', [], [])],
    ['door, changing', async () => await startDoor(app, 'change', ['--wait'], ['body_size_limit=1g'])],
    [
      'door, wire file',
      async () => await startDoor(app, 'wire', ['--wire', join(folder, 'wire/mittens.wire')]),
    ],
  ];
  const rows: (string | number)[][] = [];
  for (const [name, begin] of ways) rows.push(...(await measureAll(name, await begin())));
  const heading = ['WAY', 'CONNECTIONS', 'REQUESTS/S', 'FAILED', 'P50 µs', 'P99 µs', 'CPU µs/REQUEST'];
  printTable(process.stdout, [heading, ...rows.map((row) => row.map(String))]);
  const rate = (name: string) => Number(rows.find(([way, what]) => way === name && what === '16')?.[2]);
  process.stdout.write(
    `watching answers ${(rate('door, watching') / rate('bare mitmdump')).toFixed(1)} × the requests of bare mitmdump at 16 connections\n`,
  );
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
