import { findHeader } from '../flow/body.ts';
import type { Headers } from '../flow/flow.ts';
import type { Value } from '../flow/tnetstring.ts';
import type { JsonObject } from '../util/json-object.ts';
import { encodeBody, encodeText, replaceCharset } from './import-text.ts';

/** The headers that HTTP/2 and later have in place of a first line, as browsers show them. */
const PSEUDO_HEADER = /^:/;
/** What says that there is a body. */
const BODY_HEADERS = ['content-length', 'transfer-encoding'];

/**
 * What a request and a response of HAR have in common, as a flow's state has it.
 * @param body its `postData` or `content`, decoded: so no header may say that it is encoded.
 * @param isByMitmproxy whether mitmproxy wrote it, which makes texts of bytes in its own way.
 */
export function parseMessage(
  message: JsonObject,
  body: JsonObject | undefined,
  isByMitmproxy: boolean,
): Record<'http_version' | 'headers' | 'trailers' | 'content', Value> {
  const headers = (parseHeaders(message, 'headers') ?? []).filter(([name]) => !PSEUDO_HEADER.test(name));
  const trailers = parseHeaders(message, '_trailers');
  const content = parseContent(message, body, headers, isByMitmproxy);
  return {
    http_version: Buffer.from(parseVersion(message)),
    headers: toState(content && content.bytes.length > 0 ? headersFor(content, headers) : headers),
    trailers: trailers ? toState(trailers) : null,
    content: content?.bytes ?? null,
  };
}

export function parseHeaders(message: JsonObject, name: 'headers' | '_trailers'): Headers | undefined {
  return message.maybeObjects(name)?.map((header) => [header.text('name'), header.maybeText('value') ?? '']);
}

/** As mitmproxy names them; browsers have `http/2.0`, `HTTP/2`, `h2`, `h3`, `http/2+quic/43` and, of their cache, nothing. */
export function parseVersion(message: JsonObject): string {
  const version = message.maybeText('httpVersion') ?? '';
  if (/^h(ttp\/)?3|quic/i.test(version)) return 'HTTP/3';
  if (/^h(ttp\/)?2/i.test(version)) return 'HTTP/2.0';
  return /^http\/1\.0$/i.test(version) ? 'HTTP/1.0' : 'HTTP/1.1';
}

interface Content {
  bytes: Buffer;
  /** The content type that they have, where it is not the one that the headers say. */
  type?: string;
}

/** @returns undefined for a body of which there is only the size. */
function parseContent(
  message: JsonObject,
  body: JsonObject | undefined,
  headers: Headers,
  isByMitmproxy: boolean,
): Content | undefined {
  const text = body?.maybeText('text');
  if (body === undefined || text === undefined)
    return hasBody(message, body, headers) ? undefined : { bytes: Buffer.alloc(0) };
  const encoding = body.maybeText('encoding') ?? body.maybeText('_encoding');
  if (encoding === 'base64') return { bytes: Buffer.from(text, 'base64') };
  const type = findHeader(headers, 'content-type') ?? '';
  const bytes = encodeBody(text, type, isByMitmproxy);
  return bytes ? { bytes } : { bytes: encodeText(text), type: replaceCharset(type, 'utf-8') };
}

/** Whether there was one, of which the text is not told. Sizes that are unknown are -1. */
function hasBody(message: JsonObject, body: JsonObject | undefined, headers: Headers): boolean {
  const sizes = [body?.maybeNumber('size') ?? -1, message.maybeNumber('bodySize') ?? -1];
  if (sizes.some((size) => size > 0)) return true;
  const isSaid = headers.some(([name, value]) => BODY_HEADERS.includes(name.toLowerCase()) && value !== '0');
  return isSaid && sizes[1] !== 0;
}

/** Headers that tell the truth about a body that is not encoded, as mitmproxy's Message.decode leaves them. */
function headersFor({ bytes, type }: Content, headers: Headers): Headers {
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
