import * as zlib from 'node:zlib';
import type { Headers } from './flow.ts';

/** A body that is longer when decoded is given as it was sent: a few kilobytes can be made to decode to gigabytes. */
const MAX_BYTES = 64 * 1024 * 1024;

const LIMIT = { maxOutputLength: MAX_BYTES };

/** Node has zstd since 22.15. */
const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (bytes: Buffer, options: object) => Buffer };

/** The registered codings, https://www.iana.org/assignments/http-parameters. */
const DECODERS: Record<string, ((bytes: Buffer) => Buffer) | undefined> = {
  identity: (bytes) => bytes,
  gzip: (bytes) => zlib.gunzipSync(bytes, LIMIT),
  'x-gzip': (bytes) => zlib.gunzipSync(bytes, LIMIT),
  deflate: inflate,
  br: (bytes) => zlib.brotliDecompressSync(bytes, LIMIT),
  zstd: zstdDecompressSync && ((bytes) => zstdDecompressSync(bytes, LIMIT)),
};

/**
 * A message's body as its readers see it: with its content encodings undone. A body that does not decode, or to more
 * than 64 MiB, or whose encoding is unknown, is given as it was sent, as is one without content: empty.
 */
export function decodeBody({ content, headers }: { content: Buffer | undefined; headers: Headers }): Buffer {
  let bytes = content ?? Buffer.alloc(0);
  if (bytes.length === 0) return bytes;
  try {
    for (const coding of findCodings(headers).reverse()) {
      const decode = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
      if (!decode) return content as Buffer;
      bytes = decode(bytes);
    }
    return bytes;
  } catch {
    return content as Buffer;
  }
}

/** The value of a header, whatever its case; of several, all of them, as RFC 9110 joins them. */
export function findHeader(headers: Headers, name: string): string | undefined {
  const values = headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
  return values.length > 0 ? values.join(', ') : undefined;
}

/** A media type, in lower case and without its parameters; empty when there is none. */
export function findMediaType(headers: Headers): string {
  return (findHeader(headers, 'content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

function findCodings(headers: Headers): string[] {
  return (findHeader(headers, 'content-encoding') ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity');
}

/** Deflate is zlib's format by its standard, and raw by a custom as old. */
function inflate(bytes: Buffer): Buffer {
  const isZlib = ((bytes[0] ?? 0) & 0x0f) === 8 && bytes.length > 1 && bytes.readUInt16BE(0) % 31 === 0;
  return isZlib ? zlib.inflateSync(bytes, LIMIT) : zlib.inflateRawSync(bytes, LIMIT);
}
