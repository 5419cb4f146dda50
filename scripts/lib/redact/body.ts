import { MAX_BODY } from '../flow/body.ts';
import { decodeCodings, encodeCodings, parseCodings } from '../flow/coding.ts';
import { parseBoundary, parseCharset, parseMediaType } from '../flow/content-type.ts';
import type { Finder, Kind } from './finder.ts';
import { findInMultipart } from './in-form.ts';
import type { Span } from './span.ts';

/** A decoded body: bytes in Latin-1; UTF-16 is converted to UTF-8. */
export interface Body {
  text: string;
  /** Encodes a changed text as the body was encoded. */
  encode: (text: string) => Buffer;
}

/**
 * Undoes the content codings of a body, and gzip even if no header mentions it.
 * @returns the reason if it cannot be searched.
 */
export function openBody(content: Buffer, encoding: string, contentType: string): Body | string {
  const named = parseCodings(encoding);
  const isPlain = named.length === 0;
  const hasGzipHeader = content.readUIntBE(0, Math.min(3, content.length)) === 0x1f8b08;
  const codings = isPlain && hasGzipHeader ? ['gzip'] : named;
  if (content.length > MAX_BODY) return 'too long';
  const bytes = decodeCodings(content, codings, MAX_BODY);
  if (bytes) return openDecoded(bytes, contentType, codings);
  // Without Content-Encoding, the bytes of a gzip header may mean something else.
  return isPlain ? openDecoded(content, contentType, []) : `not ${codings.join(', ')}, or too long`;
}

function openDecoded(bytes: Buffer, contentType: string, codings: string[]): Body {
  const order = findUtf16(bytes, contentType);
  if (!order)
    return {
      text: bytes.toString('latin1'),
      encode: (text) => encodeCodings(Buffer.from(text, 'latin1'), codings),
    };
  const swap = (units: Buffer) => (order === 'big endian' ? Buffer.from(units).swap16() : units);
  return {
    text: Buffer.from(swap(bytes).toString('utf16le')).toString('latin1'),
    encode: (text) => {
      const units = Buffer.from(Buffer.from(text, 'latin1').toString('utf8'), 'utf16le');
      return encodeCodings(swap(units), codings);
    },
  };
}

/** The byte order of a body in UTF-16: by its byte order mark, otherwise by the charset. */
function findUtf16(bytes: Buffer, contentType: string): 'big endian' | 'little endian' | undefined {
  const mark = bytes.subarray(0, 2).toString('latin1');
  const charset = parseCharset(contentType) ?? '';
  if (bytes.length % 2 !== 0) return undefined;
  if (mark === '\xfe\xff') return 'big endian';
  if (mark === '\xff\xfe') return 'little endian';
  if (!charset.startsWith('utf-16')) return undefined;
  return charset === 'utf-16be' ? 'big endian' : 'little endian';
}

/** Finds the secrets in a body, according to its media type. */
export function findInBody(text: string, contentType: string, finder: Finder): Span[] {
  const type = parseMediaType(contentType);
  if (type.startsWith('multipart/')) {
    const boundary = parseBoundary(contentType) ?? /^\s{0,8}--([^\r\n]{1,70})\r?\n/.exec(text)?.[1];
    if (boundary !== undefined) return findInMultipart(text, boundary, finder);
  }
  return finder.within(text, findKind(type));
}

function findKind(type: string): Kind {
  if (type === 'application/x-www-form-urlencoded') return 'form';
  if (/javascript|ecmascript|^text\/css$/.test(type)) return 'code';
  return /^(?:image\/(?!svg)|audio\/|video\/|font\/|application\/wasm$)/.test(type) ? 'nameless' : undefined;
}
