import { decodeBody, MAX_BODY } from '../flow/body.ts';
import { isUtf8Charset, parseBoundary, parseCharset, parseMediaType } from '../flow/content-type.ts';
import { findContentType, findHeader } from '../flow/headers.ts';
import type { Headers, Request, Response } from '../flow/http-message.ts';
import { findPartParameter, splitMultipart } from '../flow/multipart.ts';
import { JsonText } from './json-text.ts';

/** The longest form that is parsed, in bytes. */
export const MAX_FORM = 1024 * 1024;
/** The longest headers of one part of a form, in characters. */
const MAX_PART_HEADERS = 8 * 1024;

/** A `params` item, a header or a query parameter of HAR 1.2. */
export interface Param {
  name: string;
  value?: string;
  fileName?: string;
  contentType?: string;
}

/** A `content` or `postData` of HAR 1.2. */
export interface HarBody {
  text?: JsonText | string;
  [field: string]: unknown;
}

interface Text {
  /** Undefined for a body that is too long: as JSON it would not fit into a JavaScript string. */
  text: JsonText | undefined;
  isBase64: boolean;
}

/**
 * Converts a response's body to `content`: decoded, and in Base64 if it is not text in its charset.
 * @param otherwise the media type if there is no Content-Type.
 */
export function toContent(response: Response, otherwise = 'x-unknown'): HarBody {
  const { content, headers } = response;
  const mimeType = findHeader(headers, 'content-type') ?? otherwise;
  if (!content) return { size: 0, mimeType, comment: 'The body was streamed and not recorded.' };
  const body = decodeBody(response);
  const { text, isBase64 } = toText(body, headers);
  return {
    size: body.length,
    ...(body.length !== content.length && { compression: body.length - content.length }),
    mimeType,
    ...(text === undefined ? { comment: 'The body is too long for HAR.' } : { text }),
    ...(isBase64 && { encoding: 'base64' }),
  };
}

/**
 * Converts a request's body to `postData`, which has no field for an encoding: a binary body is in Base64, and `_encoding`
 * and the comment say so.
 * @param otherwise the media type if there is no Content-Type.
 * @returns undefined if there is no body.
 */
export function toPostData(request: Request, otherwise = ''): HarBody | undefined {
  const { content, headers } = request;
  if (!content || content.length === 0) return undefined;
  const body = decodeBody(request);
  const { text, isBase64 } = toText(body, headers);
  const params = body.length > MAX_FORM ? undefined : parseParams(body, findContentType(headers));
  return {
    mimeType: findContentType(headers) || otherwise,
    ...(params && { params }),
    text: text ?? '',
    ...(text === undefined && { comment: 'The body is too long for HAR.' }),
    ...(isBase64 && { _encoding: 'base64', comment: 'The body is binary: the text is Base64.' }),
  };
}

function toText(body: Buffer, headers: Headers): Text {
  if (body.length > MAX_BODY) return { text: undefined, isBase64: false };
  const utf8 = transcode(body, parseCharset(findContentType(headers)) ?? 'utf-8');
  const text = utf8 && JsonText.from(utf8);
  if (text) return { text, isBase64: false };
  return { text: JsonText.from(Buffer.from(body.toString('base64'))), isBase64: true };
}

/** @returns the body in UTF-8; undefined if it is not valid in this charset. */
function transcode(body: Buffer, charset: string): Buffer | undefined {
  if (isUtf8Charset(charset)) return body;
  try {
    return Buffer.from(new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    return undefined;
  }
}

function parseParams(body: Buffer, contentType: string): Param[] | undefined {
  const type = parseMediaType(contentType);
  if (type === 'application/x-www-form-urlencoded') return parsePairs(body.toString('utf8'));
  const boundary = type === 'multipart/form-data' ? parseBoundary(contentType) : undefined;
  return boundary === undefined ? undefined : parseParts(body, boundary);
}

/** Parses a query or an urlencoded form. */
export function parsePairs(text: string): Param[] {
  return Array.from(new URLSearchParams(text), ([name, value]) => ({ name, value }));
}

/** Parses a form in parts, https://www.rfc-editor.org/rfc/rfc7578. Files have a name and type, but no value. */
function parseParts(body: Buffer, boundary: string): Param[] {
  const multipart = splitMultipart(body.toString('latin1'), Buffer.from(boundary).toString('latin1'));
  return (multipart?.parts ?? []).flatMap(({ head, body }) => {
    if (body === undefined) return [];
    const headers = toUtf8(head.slice(0, MAX_PART_HEADERS));
    const fileName = findPartParameter(headers, 'filename');
    const contentType = /^content-type:[ \t]*([^\r\n]*)/im.exec(headers)?.[1];
    return {
      name: findPartParameter(headers, 'name') ?? '',
      ...(fileName === undefined ? { value: toUtf8(body) } : { fileName }),
      ...(contentType !== undefined && { contentType }),
    };
  });
}

function toUtf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
