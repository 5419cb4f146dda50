import { ENTITY, JSON_STRING, PERCENT, type Spelling, viewOf } from './escapes.ts';
import { formSecrets } from './in-form.ts';
import { jsonSecrets } from './in-json.ts';
import { textSecrets } from './in-text.ts';
import { xmlSecrets } from './in-xml.ts';
import { type SecretNames, secretNames } from './names.ts';
import { type Shapes, secretShapes } from './shapes.ts';
import { add, type Span } from './span.ts';

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
export function secretFinder(options: { names?: string[]; patterns?: string[] }): Finder {
  const names = secretNames(options.names ?? []);
  const shapes = secretShapes(options.patterns ?? []);
  const finderAt = (depth: number): Finder => ({
    names,
    shapes,
    within: (text, kind) => secretsIn(text, kind, depth, finderAt(depth + 1)),
    named: (text) => (depth > MAX_DEPTH ? [] : namedSecrets(text, undefined, finderAt(depth + 1))),
  });
  return finderAt(0);
}

function secretsIn(text: string, kind: Kind, depth: number, finder: Finder): Span[] {
  const spans = finder.shapes(text);
  if (kind === 'nameless' || depth > MAX_DEPTH) return spans;
  add(spans, namedSecrets(text, kind, finder));
  return spans;
}

function namedSecrets(text: string, kind: Kind, finder: Finder): Span[] {
  const [first = ''] = /[^\s\xef\xbb\xbf]/.exec(text) ?? [];
  const spans = kind === 'form' ? formSecrets(text, finder) : [];
  // JSON is sent as a form by whoever forgets to say what it is.
  if (kind === 'form' && !'{[<"'.includes(first)) return spans;
  if ((first === '{' || first === '[') && kind !== 'code') {
    const json = jsonSecrets(text, finder);
    if (json.isClean) return json.spans;
    add(spans, json.spans);
  }
  // A percent sign or a backslash may hide the name.
  if (hasName(text, finder)) {
    add(spans, textSecrets(text, finder, kind === 'code'));
    if (text.includes('<')) add(spans, xmlSecrets(text, finder));
  }
  for (const spelling of [PERCENT, JSON_STRING, ENTITY]) add(spans, secretsUnder(text, spelling, finder));
  return spans;
}

/** The secrets that are there once escapes are undone. */
function secretsUnder(text: string, spelling: Spelling, finder: Finder): Span[] {
  if (!text.includes(spelling === PERCENT ? '%' : spelling === ENTITY ? '&' : '\\')) return [];
  const view = viewOf(text, spelling);
  if (!view) return [];
  return finder
    .within(view.text)
    .map((span) => ({ ...span, start: view.at(span.start), end: view.at(span.end) }));
}

function hasName(text: string, { names }: Finder): boolean {
  names.roots.lastIndex = 0;
  return names.roots.test(text);
}
