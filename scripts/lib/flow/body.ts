import { decodeCodings, parseCodings } from './coding.ts';
import { findHeader } from './headers.ts';
import type { Headers } from './http-message.ts';

/** The longest decoded body, in bytes: a few kilobytes can be made to decode to gigabytes. */
export const MAX_BODY = 64 * 1024 * 1024;

const EMPTY = Buffer.alloc(0);

/**
 * The body of a message with its content encodings undone; empty if there is no content. A body is returned as it was
 * sent if its encoding is unknown, if it does not decode, or if it decodes to more than MAX_BODY.
 */
export function decodeBody({ content, headers }: { content: Buffer | undefined; headers: Headers }): Buffer {
  if (!content || content.length === 0) return EMPTY;
  const codings = parseCodings(findHeader(headers, 'content-encoding') ?? '');
  return decodeCodings(content, codings, MAX_BODY) ?? content;
}
