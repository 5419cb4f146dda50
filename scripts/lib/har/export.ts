import { randomUUID } from 'node:crypto';
import type { Flow } from '../flow/flow.ts';
import { type HarEntry, toHarEntry } from './export-entry.ts';
import { JsonText } from './json-text.ts';

/** As in package.json. */
const CREATOR = { name: 'mittens', version: '0.1.0' };

/**
 * Writes flows as a HAR 1.2 file, http://www.softwareishard.com/blog/har-12-spec/, one entry per line and one entry at a
 * time in memory. HAR has no tcp, udp and dns flows: they are left out.
 */
export async function writeHar(
  flows: AsyncIterable<Flow>,
  write: (chunk: string | Buffer) => Promise<void>,
): Promise<void> {
  let separator = formatHarHead();
  for await (const flow of flows) {
    const entry = toHarEntry(flow);
    if (!entry) continue;
    await write(`${separator}\n`);
    await writeEntry(entry, write);
    separator = ',';
  }
  await write(`${separator === ',' ? '' : separator}\n]}}\n`);
}

/** Stands for the text of a body in an entry's JSON. It is random, so no captured text contains it. */
const MARK = randomUUID();

async function writeEntry(entry: HarEntry, write: (chunk: string | Buffer) => Promise<void>): Promise<void> {
  const texts: Buffer[] = [];
  for (const body of [entry.request.postData, entry.response.content]) {
    if (!(body?.text instanceof JsonText)) continue;
    texts.push(body.text.json);
    body.text = MARK;
  }
  for (const piece of JSON.stringify(entry).split(MARK)) {
    await write(piece);
    const text = texts.shift();
    if (text) await write(text);
  }
}

function formatHarHead(): string {
  return `{"log":{"version":"1.2","creator":${JSON.stringify(CREATOR)},"pages":[],"entries":[`;
}
