import { open } from 'node:fs/promises';
import { UserError } from '../util/error.ts';
import { FlowError } from './fields.ts';
import { type Flow, parseFlow } from './flow.ts';
import { Splitter } from './splitter.ts';
import { TnetstringError } from './tnetstring.ts';

/** A flow and its bytes. */
export interface Recorded {
  flow: Flow;
  bytes: Buffer;
  /** The position of the first byte in the file. */
  offset: number;
}

/** The position of a flow in a file, in bytes. */
export interface Place {
  name: string;
  offset: number;
  length: number;
}

/** A file whose last flow is incomplete. */
export interface Truncation {
  name: string;
  /** Where that flow begins, and how many bytes of it there are. */
  offset: number;
  bytes: number;
}

/**
 * Reads flows from the chunks of a flow file, in memory that does not grow with the file.
 * @param name for errors: a path, or `-` for stdin.
 * @param onTruncation is called after all complete flows if the last flow is incomplete.
 * @throws UserError with the offset if the bytes are not a flow.
 */
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
    throw toUserError(error, name, offset);
  }
  if (splitter.holding > 0) onTruncation({ name, offset, bytes: splitter.holding });
}

/**
 * Reads a flow again.
 * @throws UserError if the file no longer has a flow there.
 */
export async function readFlowAt({ name, offset, length }: Place): Promise<Flow> {
  const file = await open(name);
  try {
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
    return parseFlow(buffer);
  } catch (error) {
    throw toUserError(error, name, offset);
  } finally {
    await file.close();
  }
}

/** The name of a file in messages: `-` is stdin. */
export function formatFileName(name: string): string {
  return name === '-' ? 'stdin' : name;
}

function toUserError(error: unknown, name: string, offset: number): unknown {
  const file = formatFileName(name);
  if (error instanceof TnetstringError) {
    const what = `${file} is not a flow file at byte ${offset + error.offset}: ${error.message}`;
    return new UserError(what, { hint: 'capture, mitmproxy and mitmdump -w write flow files' });
  }
  if (error instanceof FlowError) {
    const { message, hint } = error;
    return new UserError(`${file}: flow at byte ${offset}: ${message}`, hint === undefined ? {} : { hint });
  }
  return error;
}
