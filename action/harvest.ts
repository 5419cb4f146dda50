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

/** What a job has recorded. All flows in it are redacted, if they are to be. */
export interface Harvest {
  services: ServiceHarvest[];
  /** Of all Services: what they are compared by. */
  comparable: Comparable;
  /** How many flows match `fail-on`, and the first of them. */
  failing: { count: number; first: Flow[] };
  /** Whether one matches `expect`. */
  isExpected: boolean;
  warnings: string[];
}

export interface ServiceHarvest {
  service: string;
  comparable: Comparable;
  flows: number;
  /** Flows without an answer, or with one whose status is from 500 on. */
  errors: number;
  firstErrors: Flow[];
  /** The slowest first. */
  slowest: Flow[];
  files: { format: Format; path: string }[];
}

/** How many flows are shown of those that are many. */
const SHOWN = 5;

/** Reads what the captures of a job wrote, and writes the files that are kept of it. */
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
  // Neither part of the name can have a dot.
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

/** The flows of a Service, redacted; each is counted on its way. */
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
    // What was fetched once more may have been recorded before.
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
    const flows = readFlows(file, ({ bytes }) =>
      warnings.push(`the last flow was cut off, and is left out (${bytes} bytes)`),
    );
    for await (const { flow } of flows) yield flow;
  }
}

function isError({ error, response }: Flow): boolean {
  return error !== undefined || (response !== undefined && response.status >= 500);
}

function keepSlowest(slowest: Flow[], flow: Flow): void {
  // That of a WebSocket is how long it was open.
  if (measureLatency(flow) === undefined || flow.websocket) return;
  slowest.push(flow);
  slowest.sort((a, b) => (measureLatency(b) ?? 0) - (measureLatency(a) ?? 0));
  slowest.length = Math.min(slowest.length, SHOWN);
}
