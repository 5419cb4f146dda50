import { decodeEscapes, JSON_STRING, unescapeWithPlaces } from './escapes.ts';
import type { Finder } from './finder.ts';
import { type Frame, MAX_NAME, openFrame, rateKey, rateNeighbor } from './json-frame.ts';
import type { Strength } from './names.ts';
import { addSpans, type Span } from './span.ts';
import { isSecretValue, toValueSpan } from './value.ts';

/** Deeper objects and arrays are only counted. */
const MAX_DEPTH = 500;
/** A shorter string cannot hold a text with a secret. In characters. */
const MIN_TEXT = 8;

const NUMBER = /-?\d[\d.eE+-]*/y;
const OTHER = /[^\s"{}[\],:\d-]+/y;
const WORD = /^(?:true|false|null)$/;
/** A text with a named secret has one of these characters. */
const STRUCTURE = /[=:{<%\\]/;
/** Keys that count secrets: numbers are values there. */
const COUNTS = /(?:tokens|pass|cookies|secrets|credentials)$/i;

export interface JsonSecrets {
  spans: Span[];
  /** Where reading ended. */
  end: number;
  /** Whether the text was valid JSON, or lines of it. */
  isClean: boolean;
}

/**
 * Finds the secrets in JSON, in lines of JSON, and in similar texts. It reads once, without recursion, and skips what is
 * not JSON.
 * @param options.at where to start.
 * @param options.within how likely the value at `at` is a secret; then only this value is read.
 */
export function findInJson(
  text: string,
  finder: Finder,
  options: { at?: number; within?: Strength } = {},
): JsonSecrets {
  return new JsonScan(text, finder, options.within).run(options.at ?? 0, options.within !== undefined);
}

class JsonScan {
  readonly #text: string;
  readonly #finder: Finder;
  readonly #spans: Span[] = [];
  readonly #frames: Frame[];
  readonly #hasSecretObjects: boolean;
  #tooDeep = 0;
  #isClean = true;

  constructor(text: string, finder: Finder, within: Strength | undefined) {
    this.#text = text;
    this.#finder = finder;
    this.#frames = [openFrame(true, within)];
    this.#hasSecretObjects = /"kind" ?: ?"Secret(?:List)?"/.test(text);
  }

  run(from: number, one: boolean): JsonSecrets {
    let at = from;
    while (at < this.#text.length) {
      at = this.#token(at);
      if (one && this.#frames.length === 1) break;
    }
    return { spans: this.#spans, end: at, isClean: this.#isClean && this.#frames.length === 1 };
  }

  /** @returns the start of the next token. */
  #token(at: number): number {
    const character = this.#text[at] as string;
    switch (character) {
      case '{':
      case '[':
        this.#open(character === '[');
        return at + 1;
      case '}':
      case ']':
        this.#close();
        return at + 1;
      case '"':
        return this.#string(at);
      case ',':
        this.#next();
        return at + 1;
      case ' ':
      case '\n':
      case '\r':
      case '\t':
      case ':':
        return at + 1;
      default:
        return this.#other(at);
    }
  }

  get #frame(): Frame {
    return this.#frames.at(-1) as Frame;
  }

  #open(isArray: boolean): void {
    if (this.#frames.length > MAX_DEPTH) this.#tooDeep++;
    else this.#frames.push(openFrame(isArray, this.#frame.strength));
  }

  #close(): void {
    if (this.#tooDeep > 0) this.#tooDeep--;
    else if (this.#frames.length > 1) this.#frames.pop();
    else this.#isClean = false;
  }

  #next(): void {
    const { isArray, inherited } = this.#frame;
    if (!isArray) this.#frame.strength = inherited;
  }

  #other(at: number): number {
    for (const regex of [NUMBER, OTHER]) {
      regex.lastIndex = at;
      const [word] = regex.exec(this.#text) ?? [];
      if (!word) continue;
      if (regex === NUMBER) this.#number(at, word);
      else if (!WORD.test(word)) this.#isClean = false;
      return at + word.length;
    }
    this.#isClean = false;
    return at + 1;
  }

  #number(start: number, secret: string): void {
    const { strength, key } = this.#frame;
    if (strength !== 'strong' || COUNTS.test(key)) return;
    this.#spans.push({ start, end: start + secret.length, secret, isNumber: true });
  }

  #string(at: number): number {
    const start = at + 1;
    const end = findStringEnd(this.#text, start);
    const next = skipSpace(this.#text, end + 1);
    if (end === this.#text.length) this.#isClean = false;
    if (this.#text[next] === ':' && !this.#frame.isArray) {
      this.#key(decodeEscapes(JSON_STRING, this.#text.slice(start, Math.min(end, start + MAX_NAME))));
      return next + 1;
    }
    this.#value(start, end);
    return end + 1;
  }

  #key(key: string): void {
    const frame = this.#frame;
    frame.key = key;
    frame.strength = rateKey(key, frame, this.#finder.names, this.#hasSecretObjects);
  }

  #value(start: number, end: number): void {
    const raw = this.#text.slice(start, end);
    const text = decodeEscapes(JSON_STRING, raw);
    const toSpan = () => toValueSpan(text, raw, start, JSON_STRING);
    const strength = this.#frame.strength ?? this.#rateNeighbor(text, toSpan);
    if (strength && isSecretValue(text, strength)) this.#spans.push(toSpan());
    else if (raw.length >= MIN_TEXT && STRUCTURE.test(raw)) this.#within(raw, start);
  }

  #rateNeighbor(text: string, toSpan: () => Span): Strength | undefined {
    const { strength, earlier } = rateNeighbor(this.#frame, text, this.#finder.names, toSpan);
    if (earlier) this.#spans.push(earlier);
    return strength;
  }

  /** Searches a string that holds a text: JSON again, GraphQL, a URL, a line of a log. */
  #within(raw: string, start: number): void {
    const unescaped = unescapeWithPlaces(raw, JSON_STRING);
    if (!unescaped) {
      addSpans(this.#spans, this.#finder.named(raw), start);
      return;
    }
    const { text, at } = unescaped;
    for (const span of this.#finder.within(text))
      this.#spans.push({ ...span, start: start + at(span.start), end: start + at(span.end) });
  }
}

/** The position of the quote that ends a string, or the end of the text. */
function findStringEnd(text: string, start: number): number {
  for (let end = text.indexOf('"', start); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (end - backslashes > start && text[end - backslashes - 1] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (' \n\r\t'.includes(text[at] ?? '-')) at++;
  return at;
}
