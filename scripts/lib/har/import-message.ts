import { replaceCharset } from '../flow/content-type.ts';
import { findContentType } from '../flow/headers.ts';
import type { Headers } from '../flow/http-message.ts';
import type { Value } from '../flow/tnetstring.ts';
import { buildForm } from './import-params.ts';
import { encodeBody, encodeText } from './import-text.ts';
import type { LooseObject } from './loose-object.ts';

/** HTTP/2 and later have pseudo-headers instead of a first line. Browsers list them as headers. */
const PSEUDO_HEADER = /^:/;
/** Headers that announce a body. */
const BODY_HEADERS = ['content-length', 'transfer-encoding'];

/**
 * Converts what HAR requests and responses have in common to fields of a flow's state.
 * @param body the `postData` or `content`. It is decoded, so Content-Encoding is dropped.
 * @param isByMitmproxy mitmproxy converts bytes to text in its own way.
 */
export function parseMessage(
  message: LooseObject,
  body: LooseObject | undefined,
  isByMitmproxy: boolean,
): Record<'http_version' | 'headers' | 'trailers' | 'content', Value> {
  const headers = (parseHeaders(message, 'headers') ?? []).filter(([name]) => !PSEUDO_HEADER.test(name));
  const trailers = parseHeaders(message, '_trailers');
  const content = parseContent(message, body, headers, isByMitmproxy);
  return {
    http_version: Buffer.from(parseVersion(message)),
    headers: toState(content && content.bytes.length > 0 ? adaptHeaders(content, headers) : headers),
    trailers: trailers ? toState(trailers) : null,
    content: content?.bytes ?? null,
  };
}

/** Headers without a name are left out. */
export function parseHeaders(message: LooseObject, name: 'headers' | '_trailers'): Headers | undefined {
  return message.objects(name)?.flatMap((header): Headers => {
    const key = header.text('name');
    return key === undefined ? [] : [[key, header.text('value') ?? '']];
  });
}

/**
 * The HTTP version in mitmproxy's spelling. Browsers write `http/2.0`, `HTTP/2`, `h2`, `h3`, `http/2+quic/43`, and nothing
 * for a response from their cache.
 */
export function parseVersion(message: LooseObject): string {
  const version = message.text('httpVersion') ?? '';
  if (/^h(ttp\/)?3|quic/i.test(version)) return 'HTTP/3';
  if (/^h(ttp\/)?2/i.test(version)) return 'HTTP/2.0';
  return /^http\/1\.0$/i.test(version) ? 'HTTP/1.0' : 'HTTP/1.1';
}

interface Content {
  bytes: Buffer;
  /** The content type to set, if the text could not be encoded in the charset of the headers. */
  type?: string;
}

/** @returns undefined for a body that existed but is not in the file. */
function parseContent(
  message: LooseObject,
  body: LooseObject | undefined,
  headers: Headers,
  isByMitmproxy: boolean,
): Content | undefined {
  const text = body?.text('text');
  const type = findContentType(headers);
  const params = body?.objects('params') ?? [];
  if (!text && params.length > 0) {
    const form = buildForm(params, type || (body?.text('mimeType') ?? ''));
    return { bytes: encodeText(form.text), type: form.contentType };
  }
  if (body === undefined || text === undefined)
    return hasBody(message, body, headers) ? undefined : { bytes: Buffer.alloc(0) };
  const encoding = body.text('encoding') ?? body.text('_encoding');
  if (encoding === 'base64') return { bytes: Buffer.from(text, 'base64') };
  const bytes = encodeBody(text, type, isByMitmproxy);
  return bytes ? { bytes } : { bytes: encodeText(text), type: replaceCharset(type, 'utf-8') };
}

/** Whether the message had a body, although its text is missing. A size of -1 is unknown. */
function hasBody(message: LooseObject, body: LooseObject | undefined, headers: Headers): boolean {
  const sizes = [body?.number('size') ?? -1, message.number('bodySize') ?? -1];
  if (sizes.some((size) => size > 0)) return true;
  const isSaid = headers.some(([name, value]) => BODY_HEADERS.includes(name.toLowerCase()) && value !== '0');
  return isSaid && sizes[1] !== 0;
}

/** Makes the headers true for a decoded body, as mitmproxy's Message.decode does. */
function adaptHeaders({ bytes, type }: Content, headers: Headers): Headers {
  const values = new Map([
    ['content-length', String(bytes.length)],
    ['content-type', type],
  ]);
  return headers
    .filter(([name]) => name.toLowerCase() !== 'content-encoding')
    .map(([name, value]) => [name, values.get(name.toLowerCase()) ?? value]);
}

function toState(headers: Headers): Value[] {
  return headers.map(([name, value]) => [encodeText(name), encodeText(value)]);
}
