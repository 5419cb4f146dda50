import { decodeBody, findHeader, findMediaType } from '../flow/body.ts';
import type { Headers, Request, Response } from '../flow/flow.ts';
import { JsonText } from './json-text.ts';

/** A longer body is left out: no JavaScript string holds much more once it is JSON. */
const MAX_BYTES = 64 * 1024 * 1024;
/** The longest form that is taken apart, in bytes. */
export const MAX_FORM = 1024 * 1024;
/** Of the headers of one part of a form. */
const MAX_PART_HEADERS = 8 * 1024;

export interface Param {
  name: string;
  value?: string;
  fileName?: string;
  contentType?: string;
}

/** A `content` or `postData` of HAR. */
export interface HarBody {
  text?: JsonText | string;
  [field: string]: unknown;
}

interface Text {
  text: JsonText | undefined;
  /** Whether it is in Base64. */
  binary: boolean;
}

/** A response's `content` of HAR 1.2: decoded, in Base64 when it is no text of its charset. */
export function toContent(response: Response): HarBody {
  const { content, headers } = response;
  const mimeType = findHeader(headers, 'content-type') ?? 'x-unknown';
  if (!content) return { size: 0, mimeType, comment: 'It was passed on without being recorded.' };
  const body = decodeBody(response);
  const { text, binary } = toText(body, headers);
  return {
    size: body.length,
    ...(body.length !== content.length && { compression: body.length - content.length }),
    mimeType,
    ...(text === undefined ? { comment: 'It is too long for HAR.' } : { text }),
    ...(binary && { encoding: 'base64' }),
  };
}

/**
 * A request's `postData` of HAR 1.2, if there is one. HAR has no field for the encoding of what is no text; that it is
 * Base64 is said by `_encoding`, and for people by the comment.
 */
export function toPostData(request: Request): HarBody | undefined {
  const { content, headers } = request;
  if (!content || content.length === 0) return undefined;
  const body = decodeBody(request);
  const { text, binary } = toText(body, headers);
  const params = body.length > MAX_FORM ? undefined : parseParams(body, headers);
  return {
    mimeType: findHeader(headers, 'content-type') ?? '',
    ...(params && { params }),
    text: text ?? '',
    ...(text === undefined && { comment: 'It is too long for HAR.' }),
    ...(binary && { _encoding: 'base64', comment: 'The text is Base64: the body is binary.' }),
  };
}

function toText(body: Buffer, headers: Headers): Text {
  if (body.length > MAX_BYTES) return { text: undefined, binary: false };
  const utf8 = transcode(body, findCharset(headers));
  const text = utf8 && JsonText.from(utf8);
  if (text) return { text, binary: false };
  return { text: JsonText.from(Buffer.from(body.toString('base64'))), binary: true };
}

function findCharset(headers: Headers): string {
  const type = findHeader(headers, 'content-type') ?? '';
  return /;\s*charset=["']?([^"';\s]+)/i.exec(type)?.[1]?.toLowerCase() ?? 'utf-8';
}

/** @returns undefined for bytes that are not of this charset. */
function transcode(body: Buffer, charset: string): Buffer | undefined {
  if (['utf-8', 'utf8', 'us-ascii', 'ascii'].includes(charset)) return body;
  try {
    return Buffer.from(new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    return undefined;
  }
}

function parseParams(body: Buffer, headers: Headers): Param[] | undefined {
  const type = findMediaType(headers);
  if (type === 'application/x-www-form-urlencoded') return parsePairs(body.toString('utf8'));
  if (type !== 'multipart/form-data') return undefined;
  const match = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(findHeader(headers, 'content-type') ?? '');
  const boundary = match?.[1] ?? match?.[2];
  return boundary === undefined ? undefined : parseParts(body, boundary);
}

/** What a query or a form says, percent encodings undone. */
export function parsePairs(text: string): Param[] {
  return Array.from(new URLSearchParams(text), ([name, value]) => ({ name, value }));
}

/** The parts of a form, https://www.rfc-editor.org/rfc/rfc7578; of files their names and types. */
function parseParts(body: Buffer, boundary: string): Param[] {
  const delimiter = Buffer.from(boundary).toString('latin1');
  const [, ...parts] = `\r\n${body.toString('latin1')}`.split(`\r\n--${delimiter}`);
  return parts.flatMap((part) => {
    const end = part.indexOf('\r\n\r\n');
    if (part.startsWith('--') || end < 0) return [];
    const head = toUtf8(part.slice(0, Math.min(end, MAX_PART_HEADERS)));
    const name = findParameter(head, 'name') ?? '';
    const fileName = findParameter(head, 'filename');
    const contentType = /^content-type:[ \t]*([^\r\n]*)/im.exec(head)?.[1];
    const value = fileName === undefined ? { value: toUtf8(part.slice(end + 4)) } : { fileName };
    return [{ name, ...value, ...(contentType !== undefined && { contentType }) }];
  });
}

function findParameter(head: string, name: 'name' | 'filename'): string | undefined {
  const match = new RegExp(`;[ \\t]*${name}=(?:"([^"]*)"|([^;\\s]+))`, 'i').exec(head);
  return match?.[1] ?? match?.[2];
}

function toUtf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
