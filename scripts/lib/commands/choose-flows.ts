import type { Flags } from '../cli/flags.ts';
import { type Filter, matchAll, parseFilter } from '../flow/filter.ts';
import type { Flow } from '../flow/flow.ts';
import { formatFileName, type Place, readFlowAt } from '../flow/flow-file.ts';
import { countBytes, measureLatency } from '../flow/measure.ts';
import { type Found, readFlows } from '../formats/read.ts';
import { createRedactor } from '../redact/redact.ts';
import { UsageError, UserError } from '../util/error.ts';
import type { Log } from '../util/log.ts';

type Key = number | string;

/** The fields by which flows can be sorted. Flows without the field come first. */
const SORT_KEYS: Record<string, (flow: Flow) => Key> = {
  time: ({ created }) => created,
  latency: (flow) => measureLatency(flow) ?? -1,
  status: ({ response }) => response?.status ?? 0,
  size: (flow) => countBytes(flow).received,
  path: ({ request }) => request?.path ?? '',
  method: ({ request }) => request?.method ?? '',
};

/**
 * Reads the flows that the flags select, sorted and redacted as they say.
 * @param log is told about incomplete files.
 * @param onDamage is called instead of throwing if a file is damaged after some flows: then these flows are the result.
 * @throws UsageError for a wrong flag, before any file is read.
 */
export function chooseFlows(
  names: string[],
  flags: Flags<'flows'>,
  log: Log,
  onDamage?: (error: UserError) => void,
): AsyncIterable<Flow> {
  const filter = flags.filter === undefined ? undefined : parseFilter(flags.filter);
  const order = flags.sort === undefined ? undefined : parseSort(flags.sort);
  const limit = flags.limit === undefined ? Number.POSITIVE_INFINITY : parseLimit(flags.limit);
  const redact = createRedact(flags);
  const warn = (name: string, message: string) => log.say(`warning: ${formatFileName(name)}: ${message}`);
  const all = readAll(names, warn);
  const found = onDamage ? untilDamage(all, onDamage) : all;
  const matching = filter ? select(found, filter, flags.filter ?? '') : found;
  return take(order ? sort(matching, order) : withoutPlaces(matching), limit, redact);
}

function createRedact(flags: Flags<'flows'>): (flow: Flow) => Flow {
  const { 'redact-name': names = [], 'redact-pattern': patterns = [] } = flags;
  const isRedacted = flags.redact || names.length > 0 || patterns.length > 0;
  return isRedacted ? createRedactor({ names, patterns }) : (flow) => flow;
}

async function* readAll(
  names: string[],
  warn: (name: string, message: string) => void,
): AsyncGenerator<Found> {
  for (const name of names) yield* readFlows(name, (message) => warn(name, message));
}

async function* untilDamage(
  found: AsyncIterable<Found>,
  onDamage: (error: UserError) => void,
): AsyncGenerator<Found> {
  let isEmpty = true;
  try {
    for await (const one of found) {
      isEmpty = false;
      yield one;
    }
  } catch (error) {
    if (isEmpty || !(error instanceof UserError)) throw error;
    onDamage(error);
  }
}

/** Flows are filtered in batches of this number, or of this length in bytes. */
const BATCH = { flows: 100, bytes: 1024 * 1024 };

async function* select(
  found: AsyncIterable<Found>,
  filter: Filter,
  expression: string,
): AsyncGenerator<Found> {
  for await (const batch of toBatches(found)) {
    const flows = batch.map(({ flow }) => flow);
    const matches = matchAll(filter, expression, flows);
    yield* batch.filter((_, index) => matches[index]);
  }
}

async function* toBatches(found: AsyncIterable<Found>): AsyncGenerator<Found[]> {
  let batch: Found[] = [];
  let bytes = 0;
  for await (const one of found) {
    batch.push(one);
    const { sent, received } = countBytes(one.flow);
    bytes += sent + received;
    if (batch.length < BATCH.flows && bytes < BATCH.bytes) continue;
    yield batch;
    [batch, bytes] = [[], 0];
  }
  yield batch;
}

async function* withoutPlaces(found: AsyncIterable<Found>): AsyncGenerator<Flow> {
  for await (const { flow } of found) yield flow;
}

/** Keeps only keys and places in memory, and reads the flows again. Flows without a place are kept. */
async function* sort(found: AsyncIterable<Found>, { key, sign }: Order): AsyncGenerator<Flow> {
  const kept: { key: Key; from: Place | Flow }[] = [];
  for await (const { flow, place } of found) kept.push({ key: key(flow), from: place ?? flow });
  kept.sort((a, b) => sign * (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  for (const { from } of kept) yield 'offset' in from ? await readFlowAt(from) : from;
}

async function* take(
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

interface Order {
  key: (flow: Flow) => Key;
  sign: 1 | -1;
}

function parseSort(text: string): Order {
  const name = text.replace(/^-/, '');
  const key = Object.hasOwn(SORT_KEYS, name) ? SORT_KEYS[name] : undefined;
  if (key) return { key, sign: name === text ? 1 : -1 };
  throw new UsageError(`flows can't be sorted by "${text}"`, Object.keys(SORT_KEYS).join(', '));
}

function parseLimit(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new UsageError(`"${text}" is not a number of flows`, '--limit 20');
}
