import { createReadStream, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { readHar } from '../har/import.ts';
import { UserError } from '../util/error.ts';
import { type Flow, FlowError, parseFlow } from './flow.ts';
import { Splitter } from './splitter.ts';
import { TnetstringError } from './tnetstring.ts';

/** A flow, and where its bytes are. */
export interface Recorded {
  flow: Flow;
  bytes: Buffer;
  /** Of the first of them in the file. */
  offset: number;
}

/** Where a flow is: in which file, and in which of its bytes. */
export interface Place {
  name: string;
  offset: number;
  length: number;
}

/** A flow, and where it can be read again: nowhere if it came from stdin or a HAR file. */
export interface Found {
  flow: Flow;
  place: Place | undefined;
}

/** A file whose last flow is not whole. */
export interface Truncation {
  name: string;
  /** Where that flow begins, and how many bytes of it there are. */
  offset: number;
  bytes: number;
}

const CHUNK_BYTES = 1024 * 1024;
/** In more white space nobody looks for the beginning of a HAR file. */
const BLANK_BYTES = 1024;

/**
 * Reads the flows of a flow file one after another, in memory that does not grow with the file; or those of a HAR file,
 * which is told by its first character.
 * @param name a path, or `-` for stdin.
 * @param onTruncation is told when the last flow is not whole; all before it were given.
 * @throws UserError for a file that cannot be read, and for what is no flow, with its offset or its entry's number.
 */
export async function* readFlows(
  name: string,
  onTruncation: (truncation: Truncation) => void,
): AsyncGenerator<Found> {
  try {
    const { isHar, chunks } = await peek(openChunks(name));
    if (isHar)
      for await (const flow of readHar(chunks, formatFileName(name))) yield { flow, place: undefined };
    else
      for await (const { flow, bytes, offset } of parseFlows(chunks, name, onTruncation))
        yield { flow, place: name === '-' ? undefined : { name, offset, length: bytes.length } };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code ? new UserError(`${name}: ${message}`) : error;
  }
}

/** Looks how a file begins, and gives all its chunks: a HAR file's first character is `{`, a flow file's a digit. */
async function peek(file: AsyncIterable<Buffer>): Promise<{ isHar: boolean; chunks: AsyncIterable<Buffer> }> {
  const rest = file[Symbol.asyncIterator]();
  const begun: Buffer[] = [];
  // Its decoder drops a byte order mark.
  const decoder = new TextDecoder();
  let text = '';
  while (text.trim() === '' && text.length < BLANK_BYTES) {
    const { done, value } = await rest.next();
    if (done) break;
    begun.push(value);
    text += decoder.decode(value.subarray(0, BLANK_BYTES), { stream: true });
  }
  return { isHar: text.trimStart().startsWith('{'), chunks: joined(begun, rest) };
}

async function* joined(begun: Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* begun;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** As readFlows, of bytes that come in chunks of any length from wherever the name says. */
export async function* parseFlows(
  chunks: AsyncIterable<Buffer>,
  name: string,
  onTruncation: (truncation: Truncation) => void,
): AsyncGenerator<Recorded> {
  const splitter = new Splitter();
  let offset = 0;
  try {
    for await (const chunk of chunks) {
      for (const bytes of splitter.push(chunk)) {
        yield { flow: parseFlow(bytes), bytes, offset };
        offset = splitter.passed;
      }
    }
  } catch (error) {
    throw asUserError(error, name, offset);
  }
  if (splitter.holding > 0) onTruncation({ name, offset, bytes: splitter.holding });
}

/** A flow that was read before, read once more. */
export async function readFlowAt({ name, offset, length }: Place): Promise<Flow> {
  const file = await open(name);
  try {
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
    return parseFlow(buffer);
  } catch (error) {
    throw asUserError(error, name, offset);
  } finally {
    await file.close();
  }
}

function openChunks(name: string): AsyncIterable<Buffer> {
  if (name === '-') return process.stdin;
  // Opened here, for its error to be thrown where it is caught.
  return createReadStream(name, { fd: openSync(name, 'r'), highWaterMark: CHUNK_BYTES });
}

/** How a file is called in what is said of it. */
export function formatFileName(name: string): string {
  return name === '-' ? 'stdin' : name;
}

function asUserError(error: unknown, name: string, offset: number): unknown {
  const file = formatFileName(name);
  if (error instanceof TnetstringError) {
    const what = `${file} is no flow file from byte ${offset + error.offset} on: ${error.message}`;
    return new UserError(what, { hint: 'mitmproxy, mitmdump -w and capture write flow files' });
  }
  if (error instanceof FlowError)
    return new UserError(`${file}: the flow at byte ${offset}: ${error.message}`);
  return error;
}
