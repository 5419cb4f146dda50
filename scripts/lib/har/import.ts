import type { Flow } from '../flow/flow.ts';
import { UserError } from '../util/error.ts';
import { JsonError, JsonObject } from '../util/json-object.ts';
import { parseEntry } from './import-entry.ts';

/** The longest HAR file, in bytes. Unlike a flow file, it is in memory as a whole. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * Reads the flows of a HAR 1.2 file, http://www.softwareishard.com/blog/har-12-spec/. Entries that did not use the
 * network (`data:`, `blob:`, browser extensions) are left out.
 * @param file its name, for errors.
 * @throws UserError if it is not a HAR file, or longer than 256 MiB.
 */
export async function* readHar(chunks: AsyncIterable<Buffer>, file: string): AsyncGenerator<Flow> {
  const { entries, isByMitmproxy } = parseLog(await readText(chunks, file), file);
  for (const [index, entry] of entries.entries()) {
    const flow = describeErrors(`${file}: entry ${index + 1}: `, () => parseEntry(entry, isByMitmproxy));
    if (flow) yield flow;
  }
}

async function readText(chunks: AsyncIterable<Buffer>, file: string): Promise<string> {
  const read: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    read.push(chunk);
    length += chunk.length;
    if (length > MAX_BYTES) {
      const hint = 'a flow file (.mitm) may have any size';
      throw new UserError(`${file} is too long for a HAR file: at most 256 MiB are read`, { hint });
    }
  }
  return Buffer.concat(read)
    .toString()
    .replace(/^\ufeff/, '');
}

function parseLog(text: string, file: string): { entries: unknown[]; isByMitmproxy: boolean } {
  return describeErrors(`${file} is not a HAR file: `, () => {
    const log = new JsonObject(parseJson(text), '').object('log');
    return {
      entries: log.list('entries'),
      isByMitmproxy: log.maybeObject('creator')?.maybeText('name') === 'mitmproxy',
    };
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The rest of the message may quote the file.
    const { message } = error as SyntaxError;
    const [, position] = /at position (\d+)/.exec(message) ?? [];
    if (/end of JSON|Unterminated/.test(message)) throw new JsonError('its JSON is cut off');
    throw new JsonError(position ? `its JSON is invalid at character ${position}` : 'its JSON is invalid');
  }
}

/** Adds to a JsonError which JSON it is about. */
function describeErrors<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof JsonError ? new UserError(`${what}${error.message}`) : error;
  }
}
