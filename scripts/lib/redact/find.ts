import { ENTITY, type Escapes, JSON_STRING, PERCENT, unescapeWithPlaces } from './escapes.ts';
import type { Finder, Kind } from './finder.ts';
import { findInForm } from './in-form.ts';
import { findInJson } from './in-json.ts';
import { findInText } from './in-text.ts';
import { findInXml } from './in-xml.ts';
import { createNames } from './names.ts';
import { createShapes } from './shapes.ts';
import { addSpans, type Span } from './span.ts';

/** Texts within texts within texts. Deeper texts are searched by shape only. */
const MAX_DEPTH = 3;

/** The escapes that any text may have, each with its first character. */
const ESCAPES: [start: string, Escapes][] = [
  ['%', PERCENT],
  ['\\', JSON_STRING],
  ['&', ENTITY],
];

/** @throws UsageError for a pattern that is not a regular expression. */
export function createFinder(options: { names?: string[]; patterns?: string[] }): Finder {
  const names = createNames(options.names ?? []);
  const findShapes = createShapes(options.patterns ?? []);
  const finderAt = (depth: number): Finder => ({
    names,
    findShapes,
    within: (text, kind) => findSecrets(text, kind, depth, finderAt(depth + 1)),
    named: (text) => (depth > MAX_DEPTH ? [] : findNamed(text, undefined, finderAt(depth + 1))),
  });
  return finderAt(0);
}

function findSecrets(text: string, kind: Kind, depth: number, finder: Finder): Span[] {
  const spans = finder.findShapes(text);
  if (kind === 'nameless' || depth > MAX_DEPTH) return spans;
  addSpans(spans, findNamed(text, kind, finder));
  return spans;
}

function findNamed(text: string, kind: Kind, finder: Finder): Span[] {
  const [first = ''] = /[^\s\xef\xbb\xbf]/.exec(text) ?? [];
  const spans = kind === 'form' ? findInForm(text, finder) : [];
  // JSON is often sent with the content type of a form.
  if (kind === 'form' && !'{[<"'.includes(first)) return spans;
  if ((first === '{' || first === '[') && kind !== 'code') {
    const json = findInJson(text, finder);
    if (json.isClean) return json.spans;
    addSpans(spans, json.spans);
  }
  if (hasName(text, finder)) {
    addSpans(spans, findInText(text, finder, kind === 'code'));
    if (text.includes('<')) addSpans(spans, findInXml(text, finder));
  }
  // Escapes may hide the name.
  for (const [start, escapes] of ESCAPES)
    if (text.includes(start)) addSpans(spans, findUnderEscapes(text, escapes, finder));
  return spans;
}

/** Finds the secrets that appear once escapes are undone. */
function findUnderEscapes(text: string, escapes: Escapes, finder: Finder): Span[] {
  const unescaped = unescapeWithPlaces(text, escapes);
  if (!unescaped) return [];
  return finder
    .within(unescaped.text)
    .map((span) => ({ ...span, start: unescaped.at(span.start), end: unescaped.at(span.end) }));
}

function hasName(text: string, { names }: Finder): boolean {
  names.roots.lastIndex = 0;
  return names.roots.test(text);
}
