import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Value } from '../../scripts/lib/flow/tnetstring.ts';
import { encode } from '../../scripts/lib/flow/tnetstring-encode.ts';
import { mitmproxyProgram, python } from '../flows/python.ts';
import { setUp } from '../setup.ts';

/** Times `flows` on a large file, and for comparison mitmdump, and copying the file through a hash. Usage: flows [COUNT] */

const COUNT = Number(process.argv[2] ?? 100_000);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The lengths of response bodies: on average 9 KiB, so that 100,000 flows are about 1 GB. */
const BODY_BYTES = [200, 800, 2000, 6000, 12_000, 34_000];

const object = (fields: Record<string, Value>): Value => new Map(Object.entries(fields));
const bytes = (text: string): Buffer => Buffer.from(text);

function connection(more: Record<string, Value>): Value {
  const ids = {
    id: '8a29c5a3-0c38-4a43-b9f4-6a4d4bbf5a8e',
    sni: null,
    alpn: null,
    cipher: null,
    error: null,
  };
  const times = { timestamp_start: 1.7e9 + 0.5, timestamp_end: null, timestamp_tls_setup: null };
  const tls = { tls: false, tls_version: null, certificate_list: [], alpn_offers: [], cipher_list: [] };
  return object({ ...ids, ...times, ...tls, transport_protocol: 'tcp', ...more });
}

function headers(bodyBytes: number): Value {
  const some = [
    ['content-type', 'application/json; charset=utf-8'],
    ['content-length', String(bodyBytes)],
    ['date', 'Mon, 23 Nov 2026 16:00:00 GMT'],
    ['cache-control', 'no-store'],
    ['x-request-id', 'c0ffee00-1234-5678-9abc-def012345678'],
    ['user-agent', 'bench/1.0 (a client of some Service)'],
  ];
  return some.map(([name = '', value = '']) => [bytes(name), bytes(value)]);
}

function flow(number: number): Buffer {
  const size = BODY_BYTES[number % BODY_BYTES.length] ?? 0;
  const item = `{"id":${number},"name":"mittens","price":12.5,"tags":["wool","warm"]},`;
  const body = `[${item.repeat(Math.ceil(size / item.length))}{}]`;
  const start = 1.7e9 + number * 0.01;
  const [client, server] = [
    ['10.0.0.7', 4711],
    ['10.0.0.9', 8080],
  ];
  const message = { http_version: bytes('HTTP/1.1'), trailers: null };
  const http = { authority: bytes(''), scheme: bytes('http'), host: 'localhost', port: 8080 };
  const times = { timestamp_start: start, timestamp_end: start + 0.001 };
  const path = bytes(`/orders/${number}/items?page=${number % 9}`);
  const request = {
    ...message,
    ...http,
    ...times,
    method: bytes('GET'),
    path,
    headers: headers(0),
    content: bytes(''),
  };
  const answered = { timestamp_start: start + 0.02, timestamp_end: start + 0.02 + (number % 50) / 1000 };
  const status = { status_code: number % 40 === 0 ? 503 : 200, reason: bytes('OK') };
  const response = {
    ...message,
    ...answered,
    ...status,
    headers: headers(body.length),
    content: bytes(body),
  };
  const modes = { peername: client, sockname: server, proxy_mode: 'regular', mitmcert: null } as const;
  const via = {
    peername: server,
    sockname: client,
    address: server,
    via: null,
    timestamp_tcp_setup: start,
  } as const;
  const own = { intercepted: false, is_replay: null, marked: '', comment: '', timestamp_created: start };
  return encode(
    object({
      ...{ version: 21, type: 'http', id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}` },
      ...{
        error: null,
        client_conn: connection(modes as never),
        server_conn: connection(via as never),
        ...own,
      },
      ...{
        metadata: new Map(),
        backup: null,
        websocket: null,
        request: object(request),
        response: object(response),
      },
    }),
  );
}

function generate(file: string): void {
  const out = openSync(file, 'w');
  for (let number = 0; number < COUNT; number++) writeSync(out, flow(number));
  closeSync(out);
}

interface Run {
  seconds: number;
  /** The peak memory in MiB. */
  memory: number;
}

async function run(program: string, args: string[], out: string): Promise<Run> {
  const began = performance.now();
  const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', openSync(out, 'w'), 'inherit'] });
  const memory = watchMemory(child);
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: exit code ${code}`);
  return { seconds: (performance.now() - began) / 1000, memory: memory() };
}

/** The kernel keeps the peak. It is read while the process runs. */
function watchMemory(child: ChildProcess): () => number {
  let most = 0;
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      most = Math.max(most, Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      // The process has ended.
    }
  }, 50);
  child.once('exit', () => clearInterval(timer));
  return () => most;
}

const COPY = `
const { createReadStream, createWriteStream } = require('node:fs');
const { createHash } = require('node:crypto');
const hash = createHash('sha256');
const from = createReadStream(process.argv[1], { highWaterMark: 1 << 20 });
from.on('data', (chunk) => hash.update(chunk));
from.pipe(createWriteStream(process.argv[2])).on('finish', () => console.log(hash.digest('hex')));
`;

async function main(): Promise<void> {
  Object.assign(
    process.env,
    await setUp({ kubectl: '1.20', mitmproxy: true, programs: [] }, AbortSignal.timeout(6e5)),
  );
  const folder = mkdtempSync(join(tmpdir(), 'mittens-bench-'));
  const [file, out] = [join(folder, 'flows.mitm'), join(folder, 'out')];
  try {
    generate(file);
    process.stdout.write(`${COUNT} flows, ${Math.round(statSync(file).size / 1e6)} MB\n`);
    const ours = (...args: string[]) =>
      run(process.execPath, ['--import', 'tsx', 'scripts/flows.ts', file, ...args], out);
    const mitmdump = mitmproxyProgram('mitmdump');
    const version = String(await python('from mitmproxy import version; print(version.VERSION)')).trim();
    const hasHar = Number.parseFloat(version) >= 10.1;
    const theirs = [
      '-q',
      '-n',
      '-r',
      file,
      ...(hasHar ? ['--set', `hardump=${join(folder, 'theirs.har')}`] : []),
    ];
    const copy = await run(process.execPath, ['-e', COPY, file, join(folder, 'copy')], out);
    const runs: [string, Run][] = [
      ['copying through SHA-256', copy],
      ['flows -o summary', await ours('-o', 'summary')],
      ['flows -o har', await ours('-o', 'har')],
      ['flows -o jsonl', await ours('-o', 'jsonl')],
      [`mitmdump ${version}, ${hasHar ? 'hardump' : 'reading alone'}`, await run(mitmdump, theirs, out)],
    ];
    const [, slowest] = runs.at(-1) ?? ['', copy];
    for (const [name, { seconds, memory }] of runs) {
      const ratios = `${(seconds / copy.seconds).toFixed(1)} × copying, ${(slowest.seconds / seconds).toFixed(1)} × as fast as mitmdump`;
      process.stdout.write(
        `${name.padEnd(32)} ${seconds.toFixed(1).padStart(6)} s  ${String(Math.round(memory)).padStart(5)} MiB   ${ratios}\n`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await main();
