import { formatEndpoint } from '../flow/endpoint.ts';
import type { Flow } from '../flow/flow.ts';
import { countBytes, measureLatency } from '../flow/measure.ts';
import { type Endpoint, formatStatus, Summary } from '../flow/summary.ts';
import { findHost } from '../flow/url.ts';
import { formatRows } from '../util/table.ts';
import { formatBytes, formatMs } from '../util/units.ts';
import { formatTime } from './jsonl.ts';

/** Writes to the output, and waits until the reader has kept up. */
type Write = (chunk: string) => Promise<void>;

/** The number of rows that are printed together and decide the widths of the columns. */
const BATCH = 500;
/** Longer paths are cut: a path may have a megabyte. In characters. */
const MAX_PATH = 200;

/** Prints one line per flow. Memory does not grow with the number of flows. */
export async function writeTable(flows: AsyncIterable<Flow>, write: Write, wide: boolean): Promise<void> {
  // The length of paths varies most, so they are the last column.
  const columns: Column[] = [...NARROW, ...(wide ? WIDE : []), ['PATH', formatPath]];
  let widths = columns.map(([name]) => name.length);
  let rows = [columns.map(([name]) => name)];
  const flush = async () => {
    const { lines, widths: wider } = formatRows(rows, widths);
    widths = wider;
    rows = [];
    await write(lines);
  };
  let count = 0;
  try {
    for await (const flow of flows) {
      rows.push(columns.map(([, cell]) => cell(flow)));
      if (++count % BATCH === 0) await flush();
    }
  } finally {
    // Also before an error.
    if (count > 0) await flush();
  }
}

type Column = [name: string, cell: (flow: Flow) => string];

const NARROW: Column[] = [
  ['TIME', ({ created }) => formatTime(created).slice(11, 23)],
  ['METHOD', ({ request, type }) => request?.method.slice(0, 20) ?? type.toUpperCase()],
  ['STATUS', formatStatus],
  ['LATENCY', (flow) => formatMs(measureLatency(flow))],
  ['SIZE', (flow) => formatBytes(countBytes(flow).received)],
];

const WIDE: Column[] = [
  ['SENT', (flow) => formatBytes(countBytes(flow).sent)],
  ['CLIENT', ({ client }) => client.peer?.[0] ?? '-'],
  ['VERSION', ({ request }) => request?.httpVersion.slice(0, 10) ?? '-'],
  ['ID', ({ id }) => id.slice(0, 8)],
  ['HOST', ({ request }) => (request ? findHost(request).slice(0, 60) : '-')],
];

function formatPath(flow: Flow): string {
  const path = flow.request?.path ?? formatEndpoint(flow).replace(/^\S+ /, '');
  const said = flow.error ? `${path}   ${flow.error.message}` : path;
  return said.length > MAX_PATH ? `${said.slice(0, MAX_PATH)}…` : said;
}

/** Prints one line per endpoint, those with the most flows first, and a total. */
export async function writeSummary(flows: AsyncIterable<Flow>, write: Write): Promise<void> {
  const summary = new Summary();
  for await (const flow of flows) summary.add(flow);
  if (summary.total.count === 0) return;
  const head = ['ENDPOINT', 'COUNT', 'STATUS', 'P50', 'P95', 'P99', 'MAX', 'SENT', 'RECEIVED'];
  const rows = [head, ...[...summary.sorted(), summary.total].map(summaryRow)];
  await write(formatRows(rows).lines);
  const seconds = Math.max(0, summary.last - summary.first);
  const rate = seconds > 0 ? `, ${(summary.total.count / seconds).toFixed(1)} per second` : '';
  const range = `from ${formatTime(summary.first)}, for ${formatMs(seconds * 1000)}${rate}`;
  await write(`\n${range}\n`);
}

function summaryRow({ name, count, statuses, latency, sent, received }: Endpoint): string[] {
  const quantiles = [0.5, 0.95, 0.99].map((part) => formatMs(latency.quantile(part)));
  const max = latency.count > 0 ? formatMs(latency.max) : '-';
  const status = [...statuses.entries()].sort().map(([code, of]) => (of === count ? code : `${code} ×${of}`));
  return [name, String(count), status.join(' '), ...quantiles, max, formatBytes(sent), formatBytes(received)];
}
