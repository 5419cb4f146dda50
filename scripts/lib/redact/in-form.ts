import { findPartParameter, type Part, splitMultipart } from '../flow/multipart.ts';
import { decodeEscapes, FORM, unescapeWithPlaces } from './escapes.ts';
import type { Finder } from './finder.ts';
import { isOpaque } from './shapes.ts';
import { addSpans, type Span } from './span.ts';
import { isSecretValue, toValueSpan } from './value.ts';

/** Names of secrets in URLs and forms only, such as OAuth's codes. */
const CODES = /^(?:code|key|state|ticket|sso|apikey)$/i;
/** A longer text before `=` is not a name. In characters. */
const MAX_NAME = 512;

/** Finds the secrets of a query or an urlencoded form: `name=value&name=value`. */
export function findInForm(text: string, finder: Finder): Span[] {
  const spans: Span[] = [];
  for (let start = 0; start <= text.length; ) {
    const next = text.indexOf('&', start);
    const end = next < 0 ? text.length : next;
    addSpans(spans, findInPair(text.slice(start, end), start, finder));
    start = end + 1;
  }
  return spans;
}

function findInPair(pair: string, start: number, finder: Finder): Span[] {
  const equals = pair.indexOf('=');
  const name = equals < 0 || equals > MAX_NAME ? '' : decodeEscapes(FORM, pair.slice(0, equals));
  const raw = pair.slice(equals + 1);
  const value = unescapeWithPlaces(raw, FORM) ?? { text: raw, at: (index: number) => index };
  const from = start + equals + 1;
  const strength = finder.names.findStrength(name);
  const isCode = CODES.test(name) && raw.length >= 16 && isOpaque(value.text);
  if (isCode || (strength && isSecretValue(value.text, strength)))
    return [toValueSpan(value.text, raw, from, FORM)];
  return finder.within(value.text).map((span) => ({
    ...span,
    start: from + value.at(span.start),
    end: from + value.at(span.end),
  }));
}

/** Finds the secrets of a path with its query and fragment. */
export function findInPath(path: string, finder: Finder): Span[] {
  const [before = ''] = path.split(/[?#]/, 1);
  const spans = finder.within(before);
  addSpans(spans, finder.findShapes(path));
  for (const found of path.matchAll(/[?#]([^?#]+)/g))
    addSpans(spans, findInForm(found[1] as string, finder), found.index + 1);
  return spans;
}

/** Finds the secrets of a form in parts, https://www.rfc-editor.org/rfc/rfc7578. */
export function findInMultipart(text: string, boundary: string, finder: Finder): Span[] {
  const multipart = splitMultipart(text, boundary);
  if (!multipart) return finder.within(text);
  const spans = finder.within(multipart.preamble);
  for (const part of multipart.parts) findInPart(spans, part, finder);
  return spans;
}

function findInPart(spans: Span[], { head, body = '', headStart, bodyStart }: Part, finder: Finder): void {
  addSpans(spans, finder.within(head), headStart);
  const strength = finder.names.findStrength(findPartParameter(head, 'name') ?? '');
  if (strength && isSecretValue(body, strength)) {
    spans.push(toValueSpan(body, body, bodyStart));
    return;
  }
  const isForm = /content-type:\s{0,8}application\/x-www-form-urlencoded/i.test(head);
  addSpans(spans, finder.within(body, isForm ? 'form' : undefined), bodyStart);
}
