import { Summary } from '../../scripts/lib/flow/summary.ts';
import { encode } from '../../scripts/lib/flow/tnetstring-encode.ts';
import { formatCurl } from '../../scripts/lib/formats/curl.ts';
import { toJson } from '../../scripts/lib/formats/jsonl.ts';
import { toHarEntry } from '../../scripts/lib/har/export-entry.ts';
import { createRedactor } from '../../scripts/lib/redact/redact.ts';
import { fuzz } from './fuzz.ts';

/** Reads damaged flow files, and converts their flows to each format. Usage: main [FILES] [SEED] */

const [files = '100000', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const redact = createRedactor({});
const summary = new Summary();

process.stdout.write(`${files} damaged flow files, seed ${seed}\n`);
const began = Date.now();
const outcome = await fuzz(Number(files), Number(seed), (flow) => {
  summary.add(flow);
  JSON.stringify([toJson(flow), toHarEntry(flow)]);
  if (flow.request) formatCurl(flow);
  encode(redact(flow).state);
});
const { maxRSS } = process.resourceUsage();
process.stdout.write(
  `${outcome.flows} flows read, ${outcome.refused} files refused, ${outcome.truncated} cut off; ` +
    `${Math.round((Date.now() - began) / 1000)} s, ${Math.round(maxRSS / 1024)} MiB at most\n`,
);
