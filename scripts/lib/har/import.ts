import type { Flow } from '../flow/flow.ts';
import { UserError } from '../util/error.ts';
import { JsonError, JsonObject } from '../util/json-object.ts';
import { flowOfEntry } from './import-entry.ts';

/** The longest HAR file that is read, in bytes: unlike a flow file it must be in memory as a whole. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * The flows of a HAR 1.2 file, http://www.softwareishard.com/blog/har-12-spec/. Entries that did not go over a network
 * (`data:`, `blob:`, extensions) are left out.
 * @param file its name, for errors.
 * @throws UserError for what is no HAR file, or a longer one than 256 MiB.
 */
export async function* harFlows(chunks: AsyncIterable<Buffer>, file: string): AsyncGenerator<Flow> {
  const { entries, isByMitmproxy } = logOf(await textOf(chunks, file), file);
  for (const [index, entry] of entries.entries()) {
    const flow = described(`${file}: entry ${index + 1}: `, () => flowOfEntry(entry, isByMitmproxy));
    if (flow) yield flow;
  }
}

async function textOf(chunks: AsyncIterable<Buffer>, file: string): Promise<string> {
  const read: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    read.push(chunk);
    length += chunk.length;
    if (length > MAX_BYTES) {
      const hint = 'flow files (.mitm) may have any size';
      throw new UserError(`${file} is longer than 256 MiB, more than is read of HAR`, { hint });
    }
  }
  return Buffer.concat(read)
    .toString()
    .replace(/^\ufeff/, '');
}

function logOf(text: string, file: string): { entries: unknown[]; isByMitmproxy: boolean } {
  return described(`${file} is no HAR file: `, () => {
    const log = new JsonObject(parse(text), '').object('log');
    return {
      entries: log.list('entries'),
      isByMitmproxy: log.maybeObject('creator')?.maybeText('name') === 'mitmproxy',
    };
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The rest of what it says may quote the file.
    const { message } = error as SyntaxError;
    const [, position] = /at position (\d+)/.exec(message) ?? [];
    if (/end of JSON|Unterminated/.test(message)) throw new JsonError('its JSON ends before its end');
    throw new JsonError(position ? `its JSON is broken at character ${position}` : 'its JSON is broken');
  }
}

/** Says in one line whose JSON it is that is wrong. */
function described<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof JsonError ? new UserError(`${what}${error.message}`) : error;
  }
}
