import { ENTITY, JSON_STRING, PERCENT, type Spelling, unescapeWithPlaces } from './escapes.ts';
import { findInForm } from './in-form.ts';
import { findInJson } from './in-json.ts';
import { findInText } from './in-text.ts';
import { findInXml } from './in-xml.ts';
import { createNames, type SecretNames } from './names.ts';
import { createShapes, type Shapes } from './shapes.ts';
import { addSpans, type Span } from './span.ts';

/** What a text is, where that is known: a form; code; or nothing with names in it, as pictures are. */
export type Kind = 'form' | 'code' | 'nameless' | undefined;

/** What finds secrets. Texts are bytes as Latin-1. */
export interface Finder {
  names: SecretNames;
  shapes: Shapes;
  /** The secrets in a text; they may overlap. */
  within: (text: string, kind?: Kind) => Span[];
  /** Those that have a name: of a part of a text whose shapes are found. */
  named: (text: string) => Span[];
}

/** Texts in texts in texts; deeper ones are searched for what has a secret's shape only. */
const MAX_DEPTH = 3;

/** @throws UsageError for a pattern that is no regular expression. */
export function createFinder(options: { names?: string[]; patterns?: string[] }): Finder {
  const names = createNames(options.names ?? []);
  const shapes = createShapes(options.patterns ?? []);
  const finderAt = (depth: number): Finder => ({
    names,
    shapes,
    within: (text, kind) => findSecrets(text, kind, depth, finderAt(depth + 1)),
    named: (text) => (depth > MAX_DEPTH ? [] : findNamed(text, undefined, finderAt(depth + 1))),
  });
  return finderAt(0);
}

function findSecrets(text: string, kind: Kind, depth: number, finder: Finder): Span[] {
  const spans = finder.shapes(text);
  if (kind === 'nameless' || depth > MAX_DEPTH) return spans;
  addSpans(spans, findNamed(text, kind, finder));
  return spans;
}

function findNamed(text: string, kind: Kind, finder: Finder): Span[] {
  const [first = ''] = /[^\s\xef\xbb\xbf]/.exec(text) ?? [];
  const spans = kind === 'form' ? findInForm(text, finder) : [];
  // JSON is sent as a form by whoever forgets to say what it is.
  if (kind === 'form' && !'{[<"'.includes(first)) return spans;
  if ((first === '{' || first === '[') && kind !== 'code') {
    const json = findInJson(text, finder);
    if (json.isClean) return json.spans;
    addSpans(spans, json.spans);
  }
  // A percent sign or a backslash may hide the name.
  if (hasName(text, finder)) {
    addSpans(spans, findInText(text, finder, kind === 'code'));
    if (text.includes('<')) addSpans(spans, findInXml(text, finder));
  }
  for (const spelling of [PERCENT, JSON_STRING, ENTITY])
    addSpans(spans, findUnderEscapes(text, spelling, finder));
  return spans;
}

/** The secrets that are there once escapes are undone. */
function findUnderEscapes(text: string, spelling: Spelling, finder: Finder): Span[] {
  if (!text.includes(spelling === PERCENT ? '%' : spelling === ENTITY ? '&' : '\\')) return [];
  const view = unescapeWithPlaces(text, spelling);
  if (!view) return [];
  return finder
    .within(view.text)
    .map((span) => ({ ...span, start: view.at(span.start), end: view.at(span.end) }));
}

function hasName(text: string, { names }: Finder): boolean {
  names.roots.lastIndex = 0;
  return names.roots.test(text);
}
