import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Comparable } from '../scripts/lib/flow/diff.ts';
import type { Flow } from '../scripts/lib/flow/flow.ts';
import { measureLatency } from '../scripts/lib/flow/measure.ts';
import { copyFlows, FORMATS, writeFile } from '../scripts/lib/formats/formats.ts';
import { readFlows } from '../scripts/lib/formats/read.ts';
import { createRedactor } from '../scripts/lib/redact/redact.ts';
import type { Format } from './inputs.ts';
import type { Job } from './job.ts';
import { jobFile } from './order.ts';

/** What a job has captured. Its flows are redacted, if the job redacts. */
export interface Harvest {
  services: ServiceHarvest[];
  /** All Services, for the comparison with a baseline. */
  comparable: Comparable;
  /** The number of flows that match `fail-on`, and the first of them. */
  failing: { count: number; first: Flow[] };
  /** Whether a flow matches `expect`. */
  isExpected: boolean;
  warnings: string[];
}

export interface ServiceHarvest {
  service: string;
  comparable: Comparable;
  flows: number;
  /** The number of flows without a response, or with a status of 500 or more. */
  errors: number;
  firstErrors: Flow[];
  /** Slowest first. */
  slowest: Flow[];
  files: { format: Format; path: string }[];
}

/** How many flows a list shows. */
const SHOWN = 5;

/** Reads the files of a job's captures, and writes the files that the job keeps. */
export async function gather(job: Job): Promise<Harvest> {
  const harvest: Harvest = {
    services: [],
    comparable: new Comparable(),
    failing: { count: 0, first: [] },
    isExpected: false,
    warnings: [],
  };
  const folder = join(job.folder, 'flows');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [number, { service }] of job.inputs.targets.entries())
    harvest.services.push(await gatherService(job, number, service, folder, harvest));
  return harvest;
}

async function gatherService(
  job: Job,
  number: number,
  service: string,
  folder: string,
  harvest: Harvest,
): Promise<ServiceHarvest> {
  // Neither the namespace nor the name can have a dot.
  const path = (format: Format) => join(folder, `${service.replace('/', '.')}.${format}`);
  const { formats } = job.inputs;
  const own: ServiceHarvest = {
    service,
    comparable: new Comparable(),
    flows: 0,
    errors: 0,
    firstErrors: [],
    slowest: [],
    files: formats.map((format) => ({ format, path: path(format) })),
  };
  const flows = readAndCount(job, number, own, harvest);
  await writeFile(path('mitm'), async (write) => {
    for await (const _ of copyFlows(flows, write));
  });
  for (const format of formats)
    if (format !== 'mitm')
      await writeFile(path(format), async (write) => {
        await FORMATS[format](readFiles([path('mitm')], harvest.warnings), write, service);
      });
  if (!formats.includes('mitm')) rmSync(path('mitm'));
  for (const raw of rawFiles(job, number)) rmSync(raw);
  return own;
}

/** The redacted flows of a Service. Counts them on the way. */
async function* readAndCount(
  job: Job,
  number: number,
  own: ServiceHarvest,
  harvest: Harvest,
): AsyncGenerator<Flow> {
  const { inputs } = job;
  const redact = inputs.redact
    ? createRedactor({ names: inputs.redactNames, patterns: [] })
    : (flow: Flow) => flow;
  const seen = new Set<string>();
  const files = rawFiles(job, number);
  for await (const raw of readFiles(files, harvest.warnings)) {
    // A flow that was fetched again may already be in the first file.
    if (seen.has(raw.id)) continue;
    if (files.length > 1) seen.add(raw.id);
    const flow = redact(raw);
    own.flows++;
    own.comparable.add(flow);
    harvest.comparable.add(flow);
    if (isError(flow) && ++own.errors <= SHOWN) own.firstErrors.push(flow);
    keepSlowest(own.slowest, flow);
    if (inputs.failOn?.(raw) && ++harvest.failing.count <= SHOWN) harvest.failing.first.push(flow);
    if (inputs.expect?.(raw)) harvest.isExpected = true;
    yield flow;
  }
}

function rawFiles({ folder }: Job, number: number): string[] {
  return [jobFile(folder, number, 'mitm'), jobFile(folder, number, 'rest.mitm')].filter((file) =>
    existsSync(file),
  );
}

async function* readFiles(files: string[], warnings: string[]): AsyncGenerator<Flow> {
  for (const file of files) {
    const flows = readFlows(file, (message) => warnings.push(message));
    for await (const { flow } of flows) yield flow;
  }
}

function isError({ error, response }: Flow): boolean {
  return error !== undefined || (response !== undefined && response.status >= 500);
}

function keepSlowest(slowest: Flow[], flow: Flow): void {
  // The latency of a WebSocket is the time that it was open.
  if (measureLatency(flow) === undefined || flow.websocket) return;
  slowest.push(flow);
  slowest.sort((a, b) => (measureLatency(b) ?? 0) - (measureLatency(a) ?? 0));
  slowest.length = Math.min(slowest.length, SHOWN);
}
