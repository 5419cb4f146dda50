import { decodeCodings, encodeCodings, parseCodings } from '../flow/coding.ts';
import type { Finder, Kind } from './find.ts';
import { findInMultipart } from './in-form.ts';
import type { Span } from './span.ts';

/** A longer body, or one that is longer when decoded, is not searched. */
export const MAX_BODY = 64 * 1024 * 1024;

/** A body as it is searched; without a text when it can't be. */
export interface Body {
  text: string;
  /** The bytes that a changed text is sent as. */
  encode: (text: string) => Buffer;
}

/**
 * A body with its content codings undone; also gzip's without a header that says so, and UTF-16.
 * @returns why it can't be searched, when it can't.
 */
export function openBody(content: Buffer, encoding: string, contentType: string): Body | string {
  const named = parseCodings(encoding);
  const isPlain = named.length === 0;
  const codings =
    isPlain && content.readUIntBE(0, Math.min(3, content.length)) === 0x1f8b08 ? ['gzip'] : named;
  if (content.length > MAX_BODY) return 'too long';
  const bytes = decodeCodings(content, codings, MAX_BODY);
  // A file that only begins as gzip's do claims nothing.
  if (!bytes) return isPlain ? plainBody(content, contentType, []) : `no ${codings.join(', ')}, or too long`;
  return plainBody(bytes, contentType, codings);
}

function plainBody(bytes: Buffer, contentType: string, codings: string[]): Body {
  const mark = bytes.subarray(0, 2).toString('latin1');
  const [, order] = /charset=["']?utf-16(le|be)?/i.exec(contentType) ?? [];
  const isBig = mark === '\xfe\xff' || (mark !== '\xff\xfe' && order?.toLowerCase() === 'be');
  if (bytes.length % 2 || !(isBig || mark === '\xff\xfe' || /charset=["']?utf-16/i.test(contentType)))
    return {
      text: bytes.toString('latin1'),
      encode: (text) => encodeCodings(Buffer.from(text, 'latin1'), codings),
    };
  const swap = (units: Buffer) => (isBig ? Buffer.from(units).swap16() : units);
  return {
    text: Buffer.from(swap(bytes).toString('utf16le')).toString('latin1'),
    encode: (text) => {
      const units = Buffer.from(Buffer.from(text, 'latin1').toString('utf8'), 'utf16le');
      return encodeCodings(swap(units), codings);
    },
  };
}

/** The secrets in a body, by what its media type says it is. */
export function findInBody(text: string, contentType: string, finder: Finder): Span[] {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type.startsWith('multipart/')) {
    const [, quoted, token] = /;\s{0,8}boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? [];
    const boundary = quoted ?? token ?? /^\s{0,8}--([^\r\n]{1,70})\r?\n/.exec(text)?.[1];
    if (boundary !== undefined) return findInMultipart(text, boundary, finder);
  }
  return finder.within(text, findKind(type));
}

function findKind(type: string): Kind {
  if (type === 'application/x-www-form-urlencoded') return 'form';
  if (/javascript|ecmascript|^text\/css$/.test(type)) return 'code';
  return /^(?:image\/(?!svg)|audio\/|video\/|font\/|application\/wasm$)/.test(type) ? 'nameless' : undefined;
}
