import { createReadStream, openSync } from 'node:fs';
import type { Flow } from '../flow/flow.ts';
import { formatFileName, type Place, parseFlows, type Truncation } from '../flow/flow-file.ts';
import { readHar } from '../har/import.ts';
import { UserError } from '../util/error.ts';

/** A flow, and where it can be read again. */
export interface Found {
  flow: Flow;
  /** Undefined if the flow came from stdin or a HAR file. */
  place: Place | undefined;
}

const CHUNK_BYTES = 1024 * 1024;
/** The white space before a HAR file's first character that is accepted, in characters. */
const MAX_BLANK = 1024;

/**
 * Reads the flows of a flow file, in memory that does not grow with the file, or those of a HAR file. The first character
 * tells them apart.
 * @param name a path, or `-` for stdin.
 * @param onTruncation is called after all complete flows if the last flow is incomplete.
 * @throws UserError if the file cannot be read, or with the offset or the entry's number if something is not a flow.
 */
export async function* readFlows(
  name: string,
  onTruncation: (truncation: Truncation) => void,
): AsyncGenerator<Found> {
  try {
    const { isHar, chunks } = await peek(openChunks(name));
    if (isHar) yield* withoutPlace(readHar(chunks, formatFileName(name)));
    else
      for await (const { flow, bytes, offset } of parseFlows(chunks, name, onTruncation))
        yield { flow, place: name === '-' ? undefined : { name, offset, length: bytes.length } };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code ? new UserError(`${formatFileName(name)}: ${message}`) : error;
  }
}

async function* withoutPlace(flows: AsyncIterable<Flow>): AsyncGenerator<Found> {
  for await (const flow of flows) yield { flow, place: undefined };
}

/** Reads the start of a file, and returns all its chunks. A HAR file starts with `{`, a flow file with a digit. */
async function peek(file: AsyncIterable<Buffer>): Promise<{ isHar: boolean; chunks: AsyncIterable<Buffer> }> {
  const rest = file[Symbol.asyncIterator]();
  const start: Buffer[] = [];
  // TextDecoder drops a byte order mark.
  const decoder = new TextDecoder();
  let text = '';
  while (text.trim() === '' && text.length < MAX_BLANK) {
    const { done, value } = await rest.next();
    if (done) break;
    start.push(value);
    text += decoder.decode(value.subarray(0, MAX_BLANK), { stream: true });
  }
  return { isHar: text.trimStart().startsWith('{'), chunks: join(start, rest) };
}

async function* join(start: Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* start;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

function openChunks(name: string): AsyncIterable<Buffer> {
  if (name === '-') return process.stdin;
  // Opened here rather than by the stream, so that the error is thrown here.
  return createReadStream(name, { fd: openSync(name, 'r'), highWaterMark: CHUNK_BYTES });
}
