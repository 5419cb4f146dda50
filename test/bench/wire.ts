import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WirePodFile } from '../../scripts/lib/capture/wire-pod-file.ts';
import { toFlow } from '../../scripts/lib/flow/flow.ts';
import type { Dict } from '../../scripts/lib/flow/tnetstring.ts';
import { encode } from '../../scripts/lib/flow/tnetstring-encode.ts';
import { toJson } from '../../scripts/lib/formats/jsonl.ts';
import { Budget } from '../../scripts/lib/wire/budget.ts';
import { WireDecoder } from '../../scripts/lib/wire/decoder.ts';
import { beginning, connection, type Step, type TestFrame, writeFrames } from '../unit/wire-file.ts';

/**
 * Measures how fast a wire file of small requests is decoded, beside copying the file through SHA-256 in the same process.
 * Usage: wire [REQUESTS]
 */

const REQUESTS = Number(process.argv[2] ?? 200_000);
const PER_CONNECTION = 100;
const CHUNK_BYTES = 1024 * 1024;
/** What a pipe from kubectl gives at a time. */
const PIPE_BYTES = 64 * 1024;

const BODY = '{"id":17,"name":"mittens","price":12.5,"tags":["wool","warm"]}'.padEnd(1000, ' ');

function ask(number: number): Step {
  const lines = [
    `GET /orders/${number}/items?page=${number % 9} HTTP/1.1`,
    ...[
      'Host: shop.example',
      'User-Agent: bench/1.0',
      'Accept: application/json',
      'X-Request-Id: c0ffee00-1234',
    ],
  ];
  return { c: `${lines.join('\r\n')}\r\n\r\n` };
}

function answer(number: number): Step {
  const lines = [
    `HTTP/1.1 ${number % 40 === 0 ? '503 Service Unavailable' : '200 OK'}`,
    ...['Content-Type: application/json; charset=utf-8', `Content-Length: ${BODY.length}`],
    ...['Date: Mon, 23 Nov 2026 16:00:00 GMT', 'Cache-Control: no-store', 'Connection: keep-alive'],
  ];
  return { s: `${lines.join('\r\n')}\r\n\r\n${BODY}` };
}

/** Requests on connections that are kept alive. */
function generate(): Buffer {
  const frames: TestFrame[] = [beginning()];
  for (let first = 0; first < REQUESTS; first += PER_CONNECTION) {
    const numbers = Array.from({ length: PER_CONNECTION }, (_, index) => first + index);
    const steps = numbers.flatMap((number) => [ask(number), answer(number)]);
    frames.push(
      ...connection([...steps, 'client ends', 'app ends', 'over'], 1 + first / PER_CONNECTION, first),
    );
  }
  return writeFrames(frames);
}

function* chunks(file: Buffer, bytes = CHUNK_BYTES): Generator<Buffer> {
  for (let at = 0; at < file.length; at += bytes) yield file.subarray(at, at + bytes);
}

/** Seconds that this process worked: on a machine that is shared, the clock tells nothing. */
function measure(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Decodes the file, and does with each flow what an output does. */
function decodeAll(file: Buffer, use: (state: Dict) => unknown): void {
  const decoder = new WireDecoder();
  let flows = 0;
  for (const chunk of chunks(file))
    for (const state of decoder.push(chunk)) {
      use(state);
      flows++;
    }
  checkCount(flows);
}

/** Makes of the file what a capture writes while it follows a pod. */
function captureAll(file: Buffer): void {
  const pod = new WirePodFile({ bodyLimit: undefined, budget: new Budget() });
  let flows = 0;
  for (const chunk of chunks(file, PIPE_BYTES))
    for (const { bytes } of pod.push(chunk)) if (bytes.length > 0) flows++;
  checkCount(flows);
}

function checkCount(flows: number): void {
  if (flows !== REQUESTS) throw new Error(`${flows} flows instead of ${REQUESTS}`);
}

const folder = mkdtempSync(join(tmpdir(), 'mittens-bench-'));
try {
  const file = generate();
  const path = join(folder, 'bench.wire');
  writeFileSync(path, file);
  process.stdout.write(`${REQUESTS} requests, ${Math.round(file.length / 1e6)} MB\n`);
  const runs: [string, () => void][] = [
    [
      'copying through SHA-256',
      () => {
        const hash = createHash('sha256');
        const read = readFileSync(path);
        for (const chunk of chunks(read)) hash.update(chunk);
        writeFileSync(join(folder, 'copy'), read);
        hash.digest();
      },
    ],
    ['decoding', () => decodeAll(file, () => undefined)],
    ['decoding into a flow file', () => decodeAll(file, encode)],
    ['capturing from a pod', () => captureAll(file)],
    ['decoding into JSON lines', () => decodeAll(file, (state) => JSON.stringify(toJson(toFlow(state))))],
  ];
  let copying = 0;
  for (const [name, work] of runs) {
    const seconds = measure(work);
    copying ||= seconds;
    const speed = `${Math.round(REQUESTS / seconds)} requests a second`;
    const ratio = `${(seconds / copying).toFixed(1)} × copying`;
    process.stdout.write(
      `${name.padEnd(26)} ${seconds.toFixed(2).padStart(6)} s of CPU  ${speed.padStart(26)}  ${ratio}\n`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
