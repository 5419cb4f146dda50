import type { Flow } from '../flow/flow.ts';
import { UserError } from '../util/error.ts';
import { JsonError, JsonObject } from '../util/json-object.ts';
import { type EntryOptions, parseEntry } from './import-entry.ts';

/** The longest HAR file, in bytes. Unlike a flow file, it is in memory as a whole. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * Reads the flows of a HAR 1.2 file, http://www.softwareishard.com/blog/har-12-spec/. Entries that did not use the
 * network (`data:`, `blob:`, browser extensions) are left out. An entry that cannot be read does not cost the others.
 * @param file its name, for errors.
 * @param onWarning is called at most once, after all flows, if parts of the file could not be used.
 * @throws UserError if it is not a HAR file, or longer than 256 MiB.
 */
export async function* readHar(
  chunks: AsyncIterable<Buffer>,
  file: string,
  onWarning: (message: string) => void,
): AsyncGenerator<Flow> {
  const { entries, isByMitmproxy } = parseLog(await readText(chunks, file), file);
  const problems = new Problems();
  let start = 0;
  for (const [index, entry] of entries.entries()) {
    const onProblem = (problem: string) => problems.add(`entry ${index + 1}: ${problem}`);
    const flow = parseOrSkip(entry, index + 1, { isByMitmproxy, start, onProblem }, problems);
    if (!flow) continue;
    start = flow.created;
    yield flow;
  }
  problems.report(onWarning);
}

function parseOrSkip(
  entry: unknown,
  number: number,
  options: EntryOptions,
  problems: Problems,
): Flow | undefined {
  try {
    return parseEntry(entry, options);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    problems.add(`entry ${number} is left out: ${error.message}`);
    return undefined;
  }
}

/** Counts problems, and keeps the first. */
class Problems {
  #first: string | undefined;
  #more = 0;

  add(problem: string): void {
    if (this.#first === undefined) this.#first = problem;
    else this.#more++;
  }

  report(onWarning: (message: string) => void): void {
    if (this.#first === undefined) return;
    const more = this.#more === 1 ? 'and 1 more problem' : `and ${this.#more} more problems`;
    onWarning(this.#more === 0 ? this.#first : `${this.#first}, ${more}`);
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
  const bytes = Buffer.concat(read);
  return new TextDecoder(findEncoding(bytes)).decode(bytes);
}

/** Some tools write UTF-16 with a byte order mark. TextDecoder drops the mark. */
function findEncoding(bytes: Buffer): string {
  const mark = bytes.toString('latin1', 0, 2);
  if (mark === '\xff\xfe') return 'utf-16le';
  return mark === '\xfe\xff' ? 'utf-16be' : 'utf-8';
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
