import * as zlib from 'node:zlib';

/** A content coding, https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1. */
interface Coding {
  /** @param limit of the decoded bytes; throws when there are more. */
  decode: (bytes: Buffer, limit: number) => Buffer;
  encode: (bytes: Buffer) => Buffer;
}

/** Node supports zstd since 22.15. */
const { zstdCompressSync, zstdDecompressSync } = zlib as {
  zstdCompressSync?: (bytes: Buffer) => Buffer;
  zstdDecompressSync?: (bytes: Buffer, options: object) => Buffer;
};

const GZIP: Coding = {
  decode: (bytes, limit) => zlib.gunzipSync(bytes, { maxOutputLength: limit }),
  encode: (bytes) => zlib.gzipSync(bytes),
};
/** The default, 11, is a hundred times slower. */
const BROTLI_QUALITY = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 } };

/** The codings in use, by their registered names: https://www.iana.org/assignments/http-parameters. */
const CODINGS: Record<string, Coding | undefined> = {
  gzip: GZIP,
  'x-gzip': GZIP,
  deflate: {
    decode: (bytes, limit) => {
      const inflate = hasZlibHeader(bytes) ? zlib.inflateSync : zlib.inflateRawSync;
      return inflate(bytes, { maxOutputLength: limit });
    },
    encode: (bytes) => zlib.deflateSync(bytes),
  },
  br: {
    decode: (bytes, limit) => zlib.brotliDecompressSync(bytes, { maxOutputLength: limit }),
    encode: (bytes) => zlib.brotliCompressSync(bytes, BROTLI_QUALITY),
  },
  zstd: zstdCompressSync &&
    zstdDecompressSync && {
      decode: (bytes, limit) => zstdDecompressSync(bytes, { maxOutputLength: limit }),
      encode: (bytes) => zstdCompressSync(bytes),
    },
};

/** Real messages rarely have more than one; more than this is an attack. */
const MAX_CODINGS = 4;

/** Parses a Content-Encoding header into codings, in the order in which they were applied. */
export function parseCodings(header: string): string[] {
  const names = header.toLowerCase().split(',');
  return names.map((name) => name.trim()).filter((name) => name !== '' && name !== 'identity');
}

/**
 * Undoes codings, the last one first.
 * @param limit the longest result of any of them, in bytes.
 * @returns undefined if a coding is unknown, if there are more than 4, if the bytes do not decode, or if the result is
 * longer than the limit.
 */
export function decodeCodings(bytes: Buffer, names: string[], limit: number): Buffer | undefined {
  if (names.length > MAX_CODINGS) return undefined;
  let out = bytes;
  try {
    for (const name of names.toReversed()) {
      const coding = Object.hasOwn(CODINGS, name) ? CODINGS[name] : undefined;
      if (!coding) return undefined;
      out = coding.decode(out, limit);
    }
    return out.length > limit ? undefined : out;
  } catch {
    return undefined;
  }
}

/** Applies codings again that decodeCodings has undone. */
export function encodeCodings(bytes: Buffer, names: string[]): Buffer {
  return names.reduce((out, name) => CODINGS[name]?.encode(out) ?? out, bytes);
}

/** `deflate` means zlib's format, but some servers send it without the zlib header. */
function hasZlibHeader(bytes: Buffer): boolean {
  return ((bytes[0] ?? 0) & 0x0f) === 8 && bytes.length > 1 && bytes.readUInt16BE(0) % 31 === 0;
}
