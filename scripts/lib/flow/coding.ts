import * as zlib from 'node:zlib';

/** A content coding: bytes to what was meant, and back. */
interface Coding {
  decode: (bytes: Buffer, limit: number) => Buffer;
  encode: (bytes: Buffer) => Buffer;
}

/** Node has zstd since 22.15. */
const { zstdCompressSync, zstdDecompressSync } = zlib as {
  zstdCompressSync?: (bytes: Buffer) => Buffer;
  zstdDecompressSync?: (bytes: Buffer, options: object) => Buffer;
};

const GZIP: Coding = {
  decode: (bytes, limit) => zlib.gunzipSync(bytes, { maxOutputLength: limit }),
  encode: (bytes) => zlib.gzipSync(bytes),
};
/** The best quality, which is the default, takes a hundred times as long. */
const BROTLI_QUALITY = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 } };

/** The registered ones that are in use, https://www.iana.org/assignments/http-parameters. */
const CODINGS: Record<string, Coding | undefined> = {
  gzip: GZIP,
  'x-gzip': GZIP,
  deflate: {
    decode: (bytes, limit) => {
      const inflate = isZlib(bytes) ? zlib.inflateSync : zlib.inflateRawSync;
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

/** More than one is a rarity, more than these an attack. */
const MAX_CODINGS = 4;

/** The codings that a Content-Encoding header names, in the order they were applied. */
export function parseCodings(header: string): string[] {
  const names = header.toLowerCase().split(',');
  return names.map((name) => name.trim()).filter((name) => name !== '' && name !== 'identity');
}

/**
 * Undoes codings.
 * @param limit in bytes, of what comes out of any of them.
 * @returns undefined when one of them is unknown or too many, or the bytes do not decode, or to too many bytes.
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

/** Applies codings that decodeCodings has undone. */
export function encodeCodings(bytes: Buffer, names: string[]): Buffer {
  return names.reduce((out, name) => CODINGS[name]?.encode(out) ?? out, bytes);
}

/** Deflate is zlib's format by its standard, and raw by a custom as old. */
function isZlib(bytes: Buffer): boolean {
  return ((bytes[0] ?? 0) & 0x0f) === 8 && bytes.length > 1 && bytes.readUInt16BE(0) % 31 === 0;
}
