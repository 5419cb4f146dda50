import { formatter } from '../cli/caller.ts';
import type { Flags } from '../cli/flags.ts';
import { Comparable, compare, type Difference } from '../flow/diff.ts';
import { parseFilter } from '../flow/filter.ts';
import type { Flow } from '../flow/flow.ts';
import { formatFileName, type Place, readFlowAt, type Truncation } from '../flow/flow-file.ts';
import { countBytes, measureLatency } from '../flow/measure.ts';
import { copyFlows, FORMATS, type Format, writeFile } from '../formats/formats.ts';
import { type Found, readFlows } from '../formats/read.ts';
import { createRedactor } from '../redact/redact.ts';
import { UsageError } from '../util/error.ts';
import { createLog } from '../util/log.ts';
import { Output } from '../util/output.ts';
import { printTable } from '../util/table.ts';

/** By what flows can be sorted; those that do not have it come first. */
const SORT_KEYS: Record<string, (flow: Flow) => number | string> = {
  time: ({ created }) => created,
  latency: (flow) => measureLatency(flow) ?? -1,
  status: ({ response }) => response?.status ?? 0,
  size: (flow) => countBytes(flow).received,
  path: ({ request }) => request?.path ?? '',
  method: ({ request }) => request?.method ?? '',
};

const log = createLog(process.stderr, formatter());

/** The command `flows`: what is in flow files, chosen, sorted, redacted, and written in some format. */
export async function flows(names: string[], flags: Flags<'flows'>): Promise<void> {
  if (names.filter((name) => name === '-').length > 1) throw new UsageError('stdin can be read once only');
  if (flags['exit-code']) throw new UsageError('--exit-code is for flows diff');
  const format =
    flags.output === undefined && flags.write !== undefined ? undefined : findFormat(flags.output);
  if (format && flags.write === '-') throw new UsageError('-o and -w - both write to stdout');
  const chosen = choose(names, flags);
  const count = { flows: 0 };
  const counted = tally(chosen, count);
  const out = new Output(process.stdout);
  const title = names.map(formatFileName).join(', ');
  const show = async (flows: AsyncIterable<Flow>) => {
    if (format) await format(flows, out.write, title);
    else for await (const _ of flows);
  };
  if (flags.write === undefined) await show(counted);
  else if (flags.write === '-') await show(copyFlows(counted, out.write));
  else await writeFile(flags.write, async (write) => await show(copyFlows(counted, write)));
  await out.flush();
  if (count.flows === 0) log.say(`No flows found in ${title}.`);
}

/** The command `flows diff`: in what one capture differs from another. */
export async function flowsDiff(names: string[], flags: Flags<'flows'>): Promise<void> {
  const [before, after, ...more] = names;
  if (before === undefined || after === undefined || more.length > 0)
    throw new UsageError('flows diff takes two flow files', 'flows diff BEFORE.mitm AFTER.mitm');
  const { output = 'table' } = flags;
  if (!['table', 'json'].includes(output))
    throw new UsageError(`flows diff has no output format "${output}"`, 'table or json');
  for (const flag of ['sort', 'limit', 'write'] as const)
    if (flags[flag] !== undefined) throw new UsageError(`--${flag} is not for flows diff`);
  const differences = compare(await readComparable(before, flags), await readComparable(after, flags));
  printDifferences(differences, output);
  if (differences.length > 0 && flags['exit-code']) process.exitCode = 1;
}

async function readComparable(name: string, flags: Flags<'flows'>): Promise<Comparable> {
  const comparable = new Comparable();
  for await (const flow of choose([name], flags)) comparable.add(flow);
  return comparable;
}

function printDifferences(differences: Difference[], output: string): void {
  if (output === 'json') process.stdout.write(`${JSON.stringify(differences, null, 2)}\n`);
  else if (differences.length === 0) log.say('No differences found.');
  else {
    const rows = differences.map(({ kind, endpoint, what }) => [kind, endpoint, what]);
    printTable(process.stdout, [['CHANGE', 'ENDPOINT', 'WHAT'], ...rows]);
  }
}

/** The flows that are wanted, in the order that is wanted, redacted if so. Flags are checked before anything is read. */
function choose(names: string[], flags: Flags<'flows'>): AsyncIterable<Flow> {
  const matches = flags.filter === undefined ? () => true : parseFilter(flags.filter);
  const key = flags.sort === undefined ? undefined : parseSort(flags.sort);
  const limit = flags.limit === undefined ? Number.POSITIVE_INFINITY : parseLimit(flags.limit);
  const { 'redact-name': redactNames = [], 'redact-pattern': redactPatterns = [] } = flags;
  const redacts = flags.redact || redactNames.length > 0 || redactPatterns.length > 0;
  const redact = redacts
    ? createRedactor({ names: redactNames, patterns: redactPatterns })
    : (flow: Flow) => flow;
  const matching = read(names, matches);
  return finish(key ? sorted(matching, key) : unsorted(matching), limit, redact);
}

async function* read(names: string[], matches: (flow: Flow) => boolean): AsyncGenerator<Found> {
  for (const name of names)
    for await (const found of readFlows(name, warn)) if (matches(found.flow)) yield found;
}

function warn({ name, offset, bytes }: Truncation): void {
  const lost = `its last ${bytes} bytes, from byte ${offset} on, are left out`;
  log.say(`warning: ${formatFileName(name)} ends in a flow that is not whole: ${lost}`);
}

async function* unsorted(found: AsyncIterable<Found>): AsyncGenerator<Flow> {
  for await (const { flow } of found) yield flow;
}

/** Only keys and places are kept in memory; of what cannot be read again, all. */
async function* sorted(
  found: AsyncIterable<Found>,
  key: { of: (flow: Flow) => number | string; sign: number },
): AsyncGenerator<Flow> {
  const kept: { key: number | string; from: Place | Flow }[] = [];
  for await (const { flow, place } of found) kept.push({ key: key.of(flow), from: place ?? flow });
  kept.sort((a, b) => key.sign * (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  for (const { from } of kept) yield 'offset' in from ? await readFlowAt(from) : from;
}

async function* finish(
  flows: AsyncIterable<Flow>,
  limit: number,
  redact: (flow: Flow) => Flow,
): AsyncGenerator<Flow> {
  let count = 0;
  if (limit === 0) return;
  for await (const flow of flows) {
    yield redact(flow);
    if (++count >= limit) return;
  }
}

async function* tally(flows: AsyncIterable<Flow>, count: { flows: number }): AsyncGenerator<Flow> {
  for await (const flow of flows) {
    count.flows++;
    yield flow;
  }
}

function findFormat(name = 'table'): Format {
  if (isFormat(name)) return FORMATS[name];
  throw new UsageError(`"${name}" is no output format`, Object.keys(FORMATS).join(', '));
}

function isFormat(name: string): name is keyof typeof FORMATS {
  return Object.hasOwn(FORMATS, name);
}

function parseSort(text: string): { of: (flow: Flow) => number | string; sign: number } {
  const name = text.replace(/^-/, '');
  const of = Object.hasOwn(SORT_KEYS, name) ? SORT_KEYS[name] : undefined;
  if (of) return { of, sign: name === text ? 1 : -1 };
  throw new UsageError(`flows cannot be sorted by "${text}"`, Object.keys(SORT_KEYS).join(', '));
}

function parseLimit(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new UsageError(`"${text}" is no number of flows`, '--limit 20');
}
