import { createWriteStream, renameSync, rmSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Flow } from '../flow/flow.ts';
import { encode } from '../flow/tnetstring-encode.ts';
import { writeHar } from '../har/export.ts';
import { UserError } from '../util/error.ts';
import { Output } from '../util/output.ts';
import { toVisibleJson } from '../util/visible-json.ts';
import { formatCurl } from './curl.ts';
import { toJson } from './jsonl.ts';
import { writeReport } from './report.ts';
import { writeSummary, writeTable } from './table.ts';

export type Write = (chunk: string | Buffer) => Promise<void>;
export type Format = (flows: AsyncIterable<Flow>, write: Write, title: string) => Promise<void>;

/** The output formats. Flow files are written by copyFlows. */
export const FORMATS = {
  table: async (flows, write) => await writeTable(flows, write, false),
  wide: async (flows, write) => await writeTable(flows, write, true),
  summary: writeSummary,
  jsonl: async (flows, write) => {
    for await (const flow of flows) await write(`${toVisibleJson(toJson(flow))}\n`);
  },
  har: writeHar,
  curl: async (flows, write) => {
    for await (const flow of flows) if (flow.request) await write(`${formatCurl(flow)}\n`);
  },
  html: async (flows, write, title) => await writeReport(flows, write, { title }),
} satisfies Record<string, Format>;

/** Writes each flow to a flow file, and passes it on. */
export async function* copyFlows(flows: AsyncIterable<Flow>, write: Write): AsyncGenerator<Flow> {
  for await (const flow of flows) {
    await write(encode(flow.state));
    yield flow;
  }
}

/**
 * Writes a file under a temporary name, and renames it when it is complete. So it may be one of the input files.
 * @throws UserError if it can't be written.
 */
export async function writeFile(name: string, fill: (write: Write) => Promise<void>): Promise<void> {
  const partial = `${name}.partial`;
  const stream = createWriteStream(partial, { mode: 0o600 });
  const ended = finished(stream).catch((error: Error) => {
    throw new UserError(`${name}: ${error.message}`);
  });
  try {
    const out = new Output(stream);
    await Promise.race([fill(out.write), ended]);
    await out.flush();
    stream.end();
    await ended;
    renameSync(partial, name);
  } catch (error) {
    stream.destroy();
    rmSync(partial, { force: true });
    throw error;
  }
}
