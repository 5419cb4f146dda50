import { createReadStream, openSync } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { constants, createGunzip } from 'node:zlib';
import type { Flow } from '../flow/flow.ts';
import { formatFileName, type Place, parseFlows, type Truncation } from '../flow/flow-file.ts';
import { readHar } from '../har/import.ts';
import { UserError } from '../util/error.ts';
import { isWire, readWire } from '../wire/read.ts';

/** A flow, and where it can be read again. */
export interface Found {
  flow: Flow;
  /** Undefined if the flow came from stdin, a HAR file, a wire file or a compressed file. */
  place: Place | undefined;
}

const CHUNK_BYTES = 1024 * 1024;
/** The white space before a HAR file's first character that is accepted, in characters. */
const MAX_BLANK = 1024;
/** So many bytes tell a wire file, and a compressed one. */
const MIN_START = 5;

/**
 * Reads the flows of a flow file or a wire file, in memory that does not grow with the file, or those of a HAR file. The
 * first bytes tell them apart; each may be compressed by gzip.
 * @param name a path, or `-` for stdin.
 * @param onWarning is called after all flows with what is missing, if anything is.
 * @throws UserError if the file cannot be read, or with the offset or the entry's number if something is not a flow.
 */
export async function* readFlows(name: string, onWarning: (message: string) => void): AsyncGenerator<Found> {
  const onTruncation = ({ offset, bytes }: Truncation) =>
    onWarning(`the last flow is incomplete: its last ${bytes} bytes, from byte ${offset}, are left out`);
  try {
    const { format, isCompressed, chunks } = await detect(openChunks(name));
    if (format === 'har') yield* withoutPlace(readHar(chunks, formatFileName(name), onWarning));
    else if (format === 'wire') yield* withoutPlace(readWire(chunks, formatFileName(name), onWarning));
    else
      for await (const { flow, bytes, offset } of parseFlows(chunks, name, onTruncation))
        yield {
          flow,
          place: name === '-' || isCompressed ? undefined : { name, offset, length: bytes.length },
        };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code ? new UserError(`${formatFileName(name)}: ${message}`) : error;
  }
}

async function* withoutPlace(flows: AsyncIterable<Flow>): AsyncGenerator<Found> {
  for await (const flow of flows) yield { flow, place: undefined };
}

interface Detected {
  format: 'har' | 'wire' | 'flows';
  isCompressed: boolean;
  /** The whole file, decompressed. */
  chunks: AsyncIterable<Buffer>;
}

/** Finds out what a file is. A HAR file starts with `{`, a flow file with a digit. */
async function detect(file: AsyncIterable<Buffer>, isCompressed = false): Promise<Detected> {
  const { text, bytes, chunks } = await peek(file);
  if (bytes.subarray(0, GZIP.length).equals(GZIP) && !isCompressed)
    return await detect(decompress(chunks), true);
  const isHar = text.trimStart().startsWith('{') || UTF16_OBJECT.test(bytes.toString('latin1', 0, 4));
  const format = isWire(bytes) ? 'wire' : isHar ? 'har' : 'flows';
  return { format, isCompressed, chunks };
}

/** A byte order mark and `{` in UTF-16, as bytes in Latin-1. */
const UTF16_OBJECT = /^(\xff\xfe\{\0|\xfe\xff\0\{)/;
/** How a compressed file starts, https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1. */
const GZIP = Buffer.from([0x1f, 0x8b]);

/** A file that is cut off gives what it has. */
function decompress(chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH, chunkSize: CHUNK_BYTES });
  // Whoever reads is told of an error.
  pipeline(Readable.from(chunks), gunzip, () => undefined);
  return gunzip;
}

/** Reads the start of a file, and returns all its chunks. */
async function peek(
  file: AsyncIterable<Buffer>,
): Promise<{ text: string; bytes: Buffer; chunks: AsyncIterable<Buffer> }> {
  const rest = file[Symbol.asyncIterator]();
  const start: Buffer[] = [];
  // TextDecoder drops a byte order mark.
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  while (length < MIN_START || (text.trim() === '' && text.length < MAX_BLANK)) {
    const { done, value } = await rest.next();
    if (done) break;
    start.push(value);
    length += value.length;
    text += decoder.decode(value.subarray(0, MAX_BLANK), { stream: true });
  }
  return { text, bytes: Buffer.concat(start), chunks: join(start, rest) };
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
