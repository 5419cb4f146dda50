import { createReadStream, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { UserError } from './error.ts';
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

/** A file whose last flow is not whole. */
export interface Truncation {
  name: string;
  /** Where that flow begins, and how many bytes of it there are. */
  offset: number;
  bytes: number;
}

const CHUNK_BYTES = 1024 * 1024;
/**
 * Reads the flows of a file one after another, in memory that does not grow with the file.
 * @param name a path, or `-` for stdin.
 * @param onTruncation is told when the last flow is not whole; all before it were given.
 * @throws UserError for a file that cannot be read, and for bytes that are no flow, with their offset.
 */
export async function* readFlows(
  name: string,
  onTruncation: (truncation: Truncation) => void,
): AsyncGenerator<Recorded> {
  try {
    yield* flowsIn(chunksOf(name), name, onTruncation);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code ? new UserError(`${name}: ${message}`) : error;
  }
}

/** As readFlows, of bytes that come in chunks of any length from wherever the name says. */
export async function* flowsIn(
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
export async function readFlowAt(name: string, offset: number, length: number): Promise<Flow> {
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

function chunksOf(name: string): AsyncIterable<Buffer> {
  if (name === '-') return process.stdin;
  // Opened here, for its error to be thrown where it is caught.
  return createReadStream(name, { fd: openSync(name, 'r'), highWaterMark: CHUNK_BYTES });
}

function asUserError(error: unknown, name: string, offset: number): unknown {
  const file = name === '-' ? 'stdin' : name;
  if (error instanceof TnetstringError) {
    const what = `${file} is no flow file from byte ${offset + error.offset} on: ${error.message}`;
    return new UserError(what, { hint: 'mitmproxy, mitmdump -w and capture write flow files' });
  }
  if (error instanceof FlowError)
    return new UserError(`${file}: the flow at byte ${offset}: ${error.message}`);
  return error;
}
