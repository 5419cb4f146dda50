import { isUtf8 } from 'node:buffer';

/**
 * The bytes that a text was. Python, and so mitmproxy, makes a lone surrogate of each byte that is no UTF-8:
 * https://peps.python.org/pep-0383.
 */
export function encodeText(text: string): Buffer {
  const parts = text.split(/([\udc80-\udcff]+)/u);
  if (parts.length === 1) return Buffer.from(text);
  // Latin-1 takes the low byte of each.
  return Buffer.concat(parts.map((part, index) => Buffer.from(part, index % 2 === 1 ? 'latin1' : 'utf8')));
}

/**
 * The bytes of a body that is given as text, in the charset of its content type.
 * @returns undefined when that charset is unknown, cannot be written here, or has no such characters.
 */
export function encodeBody(text: string, contentType: string, isByMitmproxy: boolean): Buffer | undefined {
  const charset = findCharset(contentType);
  if (charset === undefined) return isByMitmproxy ? encodeAsMitmproxy(text, contentType) : encodeText(text);
  if (['utf-8', 'utf8', 'us-ascii', 'ascii'].includes(charset)) return encodeText(text);
  return encodeSingleBytes(text, charset);
}

/** A content type with another charset. */
export function replaceCharset(contentType: string, charset: string): string {
  return contentType.replace(/(;\s*charset=)("[^"]*"|[^;\s]*)/i, (_, name) => `${name}${charset}`);
}

function findCharset(contentType: string): string | undefined {
  return /;\s*charset=["']?([^"';\s]+)/i.exec(contentType)?.[1]?.toLowerCase();
}

/**
 * mitmproxy reads as Latin-1 what names no charset and is no JSON; since version 12 also no markup, script or style.
 * Source: infer_content_encoding in mitmproxy/net/http/headers.py.
 */
function encodeAsMitmproxy(text: string, contentType: string): Buffer {
  const utf8 = encodeText(text);
  if (/json/.test(contentType) || /[^\0-\xff]/.test(text)) return utf8;
  const latin = Buffer.from(text, 'latin1');
  return isUtf8(latin) || !/html|xml|script|css/.test(contentType) ? latin : utf8;
}

/** In a charset of a byte a character: Node decodes them all, and encodes Latin-1 alone. */
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

/** By character; undefined for a charset that is unknown, or has more than a byte a character. */
function findCodes(charset: string): Map<number, number> | undefined {
  const all = Uint8Array.from({ length: 256 }, (_, code) => code);
  try {
    const decoder = new TextDecoder(charset, { ignoreBOM: true });
    // In one piece Node 20 decodes Windows-1252 as if it were Latin-1.
    const chars = decoder.decode(all, { stream: true });
    if (chars.length !== all.length) return undefined;
    const codes = new Map(Array.from(all, (code) => [chars.charCodeAt(code), code]));
    codes.delete(0xfffd);
    // So do others, Python among them.
    if (decoder.encoding === 'windows-1252')
      for (const code of all.subarray(0x80, 0xa0)) codes.set(code, code);
    return codes;
  } catch {
    return undefined;
  }
}
