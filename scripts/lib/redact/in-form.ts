import { decodeEscapes, FORM, unescapeWithPlaces } from './escapes.ts';
import type { Finder } from './find.ts';
import { isOpaque } from './shapes.ts';
import { addSpans, type Span } from './span.ts';
import { isSecretValue, toValueSpan } from './value.ts';

/** Names that are secrets' in URLs and forms only: of OAuth's codes, and of keys. */
const CODES = /^(?:code|key|state|ticket|sso|apikey)$/i;
/** A name's length, beyond which it is no name. */
const MAX_NAME = 512;

/** The secrets of a query, or of a form's body: `name=value&name=value`. */
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
  const view = unescapeWithPlaces(raw, FORM) ?? { text: raw, at: (index: number) => index };
  const from = start + equals + 1;
  const strength = finder.names.findStrength(name);
  const isCode = CODES.test(name) && raw.length >= 16 && isOpaque(view.text);
  if (isCode || (strength && isSecretValue(view.text, strength)))
    return [toValueSpan(view.text, raw, from, FORM)];
  const within = finder.within(view.text);
  return within.map((span) => ({
    ...span,
    start: from + view.at(span.start),
    end: from + view.at(span.end),
  }));
}

/** The secrets of a path with its query and fragment. */
export function findInPath(path: string, finder: Finder): Span[] {
  const [before = ''] = path.split(/[?#]/, 1);
  const spans = finder.within(before);
  addSpans(spans, finder.shapes(path));
  for (const found of path.matchAll(/[?#]([^?#]+)/g))
    addSpans(spans, findInForm(found[1] as string, finder), found.index + 1);
  return spans;
}

/** The secrets of a form in parts, https://www.rfc-editor.org/rfc/rfc7578. */
export function findInMultipart(text: string, boundary: string, finder: Finder): Span[] {
  const delimiter = `--${boundary}`;
  const spans: Span[] = [];
  let start = text.indexOf(delimiter);
  if (start < 0) return finder.within(text);
  addSpans(spans, finder.within(text.slice(0, start)));
  while (start < text.length) {
    const from = start + delimiter.length;
    const next = text.indexOf(`\n${delimiter}`, from);
    const end = next < 0 ? text.length : next;
    addSpans(spans, findInPart(text.slice(from, end), finder), from);
    start = next < 0 ? end : next + 1;
  }
  return spans;
}

function findInPart(part: string, finder: Finder): Span[] {
  const [blank] = /\r?\n\r?\n/.exec(part) ?? [''];
  const head = part.slice(0, blank === '' ? part.length : part.indexOf(blank));
  const from = head.length + blank.length;
  const body = part.slice(from).replace(/\r$/, '');
  const [, quoted, token] = /[;\s]name=(?:"([^"]*)"|([^;\s]+))/i.exec(head) ?? [];
  const strength = finder.names.findStrength(quoted ?? token ?? '');
  const spans = finder.within(head);
  if (strength && isSecretValue(body, strength)) return [...spans, toValueSpan(body, body, from)];
  const kind = /content-type:\s{0,8}application\/x-www-form-urlencoded/i.test(head) ? 'form' : undefined;
  addSpans(spans, finder.within(body, kind), from);
  return spans;
}
