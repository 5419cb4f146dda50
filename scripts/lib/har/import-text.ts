import { isUtf8 } from 'node:buffer';
import { isUtf8Charset, parseCharset } from '../flow/content-type.ts';

/**
 * Encodes a text in UTF-8. A lone surrogate becomes one byte: Python, and so mitmproxy, reads each byte that is not valid
 * UTF-8 as a lone surrogate, https://peps.python.org/pep-0383.
 */
export function encodeText(text: string): Buffer {
  const parts = text.split(/([\udc80-\udcff]+)/u);
  if (parts.length === 1) return Buffer.from(text);
  // Latin-1 takes the low byte of each surrogate.
  return Buffer.concat(parts.map((part, index) => Buffer.from(part, index % 2 === 1 ? 'latin1' : 'utf8')));
}

/**
 * Encodes the text of a body in the charset of its content type.
 * @returns undefined if that charset is unknown, has several bytes per character, or lacks a character of the text.
 */
export function encodeBody(text: string, contentType: string, isByMitmproxy: boolean): Buffer | undefined {
  const charset = parseCharset(contentType);
  if (charset === undefined) return isByMitmproxy ? encodeAsMitmproxy(text, contentType) : encodeText(text);
  if (isUtf8Charset(charset)) return encodeText(text);
  return encodeSingleBytes(text, charset);
}

/**
 * Undoes mitmproxy's decoding: a body without a charset is Latin-1 unless it is JSON; since version 12 also unless it is
 * markup, script or style. Source: infer_content_encoding in mitmproxy/net/http/headers.py.
 */
function encodeAsMitmproxy(text: string, contentType: string): Buffer {
  const utf8 = encodeText(text);
  if (/json/.test(contentType) || /[^\0-\xff]/.test(text)) return utf8;
  const latin = Buffer.from(text, 'latin1');
  return isUtf8(latin) || !/html|xml|script|css/.test(contentType) ? latin : utf8;
}

/** Encodes in a charset with one byte per character. Node can decode all of them, but encode only Latin-1. */
function encodeSingleBytes(text: string, charset: string): Buffer | undefined {
  const codes = findCodes(charset);
  if (!codes) return undefined;
  const bytes = Buffer.alloc(text.length);
  for (let index = 0; index < text.length; index++) {
    const code = codes.get(text.charCodeAt(index));
    if (code === undefined) return undefined;
    bytes[index] = code;
  }
  return bytes;
}

/** The byte of each character; undefined for a charset that is unknown or has several bytes per character. */
function findCodes(charset: string): Map<number, number> | undefined {
  const all = Uint8Array.from({ length: 256 }, (_, code) => code);
  try {
    const decoder = new TextDecoder(charset, { ignoreBOM: true });
    // Without `stream`, Node 20 decodes Windows-1252 as Latin-1.
    const chars = decoder.decode(all, { stream: true });
    if (chars.length !== all.length) return undefined;
    const codes = new Map(Array.from(all, (code) => [chars.charCodeAt(code), code]));
    codes.delete(0xfffd);
    // Other encoders, such as Python's, also keep the C1 controls of Latin-1.
    if (decoder.encoding === 'windows-1252')
      for (const code of all.subarray(0x80, 0xa0)) codes.set(code, code);
    return codes;
  } catch {
    return undefined;
  }
}
