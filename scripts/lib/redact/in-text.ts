import { decodeEscapes, PERCENT } from './escapes.ts';
import type { Finder } from './finder.ts';
import { findInJson } from './in-json.ts';
import { COMMON_SCHEME } from './schemes.ts';
import { isOpaque } from './shapes.ts';
import { addSpans, type Span } from './span.ts';
import { isSecretValue, toValueSpan } from './value.ts';

const NAME_CHARACTER = /[\w.\-[\]$%]/;
/** The longest part of a name before and after the root that makes it a secret's. In characters. */
const MAX_AFFIX = 64;

const SEPARATOR = /(?:\\{0,8}["'`])?\]?[ \t]{0,64}(=>|[:=])[ \t]{0,64}/y;
/** A quote, with its backslashes if it is escaped. */
const QUOTE = /(\\{0,8})(["'`])/y;
/** An unquoted value. A backslash belongs to it unless it starts an escape. */
const WORD = /(?:[^\s"'<>&`\\]|\\(?![nrt"'\\]))+/y;
const LINE = /[^\r\n]+/y;
/** The separator before the next pair. */
const NEXT_PAIR = /[,;](?=["']?[\w.-]{1,64}["']?[=:])/;
/** Words that stand for a value in types and messages. */
const PLACEHOLDER =
  /^(?:string|str|number|int|integer|boolean|bool|any|object|required|invalid|missing|expired)[!?]?$/i;

/**
 * Finds the secrets with a name in any text: `name=value`, `name: value`, `"name": "value"` and `name: {…}`.
 * @param isCode whether only quoted values are secrets, since others are expressions.
 */
export function findInText(text: string, finder: Finder, isCode: boolean): Span[] {
  const spans: Span[] = [];
  const { roots } = finder.names;
  let done = 0;
  for (let at = 0; at < text.length; ) {
    roots.lastIndex = at;
    const found = roots.exec(text);
    if (!found) break;
    const rootEnd = found.index + Math.max(found[0].length, 1);
    const end = expand(text, rootEnd, 1);
    const name = text.slice(expand(text, found.index, -1, done), end).replace(/^[.\-%]+|[.\-%]+$/g, '');
    at = end;
    const pair = pairAt(text, end, name, finder, isCode);
    if (!pair) continue;
    addSpans(spans, pair.spans);
    at = Math.max(at, pair.end);
    done = at;
  }
  return spans;
}

/** The end of the name that contains `from`, in one direction. */
function expand(text: string, from: number, step: 1 | -1, limit = 0): number {
  let at = from;
  const beside = step === 1 ? 0 : -1;
  while (
    Math.abs(at - from) < MAX_AFFIX &&
    at + beside >= limit &&
    NAME_CHARACTER.test(text[at + beside] ?? ' ')
  )
    at += step;
  return at;
}

interface Pair {
  spans: Span[];
  end: number;
}

function pairAt(
  text: string,
  nameEnd: number,
  rawName: string,
  finder: Finder,
  isCode: boolean,
): Pair | undefined {
  SEPARATOR.lastIndex = nameEnd;
  const separator = SEPARATOR.exec(text);
  if (!separator) return undefined;
  const name = rawName.includes('%') ? decodeEscapes(PERCENT, rawName) : rawName;
  const strength = finder.names.findStrength(name);
  if (!strength) return undefined;
  const at = SEPARATOR.lastIndex;
  if (text[at] === '{' || text[at] === '[') return findInJson(text, finder, { at, within: strength });
  const quoted = quotedAt(text, at);
  const value = quoted ?? (isCode ? undefined : wordAt(text, at, name, separator[1] as string));
  if (!value) return undefined;
  const { start, end } = value;
  const raw = text.slice(start, end);
  const secret = raw.includes('%') && !quoted ? decodeEscapes(PERCENT, raw) : raw;
  if (!isSecretValue(secret, strength)) return undefined;
  return { spans: [toValueSpan(secret, raw, start, PERCENT)], end };
}

interface Extent {
  start: number;
  end: number;
}

function quotedAt(text: string, at: number): Extent | undefined {
  QUOTE.lastIndex = at;
  const found = QUOTE.exec(text);
  if (!found) return undefined;
  const [opening, backslashes = '', quote = '"'] = found;
  const start = at + opening.length;
  let end = text.indexOf(opening, start);
  // A quote without a backslash ends only at another one without.
  if (backslashes === '')
    while (end > 0 && text[end - 1] === '\\' && end > start) end = text.indexOf(quote, end + 1);
  return { start, end: end < 0 ? text.length : end };
}

function wordAt(text: string, at: number, name: string, separator: string): Extent | undefined {
  if (text.startsWith('//', at)) return undefined;
  const isHeader = separator === ':' && /(?:authorization|cookie)$/i.test(name);
  const start = isHeader ? at : at + (matchAt(COMMON_SCHEME, text, at)?.length ?? 0);
  const word = matchAt(isHeader ? LINE : WORD, text, start);
  if (!word) return undefined;
  const next = isHeader ? -1 : word.search(NEXT_PAIR);
  const length = trimmedLength(next < 0 ? word : word.slice(0, next));
  const value = word.slice(0, length);
  if (length === 0 || PLACEHOLDER.test(value) || /^[\w$.]{1,200}\(/.test(value)) return undefined;
  // In prose, a colon introduces an explanation: "invalid token: expected a number".
  const isProse = separator === ':' && !isHeader && !/passw|pwd|secret|key/i.test(name);
  return isProse && start === at && !isOpaque(value) && !/\d/.test(value)
    ? undefined
    : { start, end: start + length };
}

function matchAt(regex: RegExp, text: string, at: number): string | undefined {
  regex.lastIndex = at;
  return regex.exec(text)?.[0];
}

/** The length without trailing brackets and commas of the surrounding text. */
function trimmedLength(word: string): number {
  let { length } = word;
  while (length > 0 && ',;.)]}'.includes(word[length - 1] as string)) length--;
  return length;
}
