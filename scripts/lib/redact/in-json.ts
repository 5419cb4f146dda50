import { decodeEscapes, JSON_STRING, unescapeWithPlaces } from './escapes.ts';
import type { Finder } from './find.ts';
import { isAbout, type Strength } from './names.ts';
import { addSpans, type Span } from './span.ts';
import { isSecretValue, toValueSpan } from './value.ts';

/** An object or array that is open. */
interface Frame {
  isArray: boolean;
  /** Of the value that comes next. */
  strength: Strength | undefined;
  /** What it is within. */
  inherited: Strength | undefined;
  key: string;
  /** Of `{"name": "password", "value": "…"}`: what the name says of the value, and a value that came first. */
  named: Strength | undefined;
  value: Span | undefined;
  /** The last string of an array, which may name the next: `["authorization", "…"]`. */
  last: string;
}

/** Of deeper ones the depth is counted, and no more. */
const MAX_DEPTH = 500;
/** Of keys and of what a string names, in characters. */
const MAX_NAME = 256;
/** A string of fewer holds no text with a secret in it. */
const MIN_TEXT = 8;

const NUMBER = /-?\d[\d.eE+-]*/y;
const OTHER = /[^\s"{}[\],:\d-]+/y;
const WORD = /^(?:true|false|null)$/;
/** What a text has to have for a secret to have a name in it. */
const STRUCTURE = /[=:{<%\\]/;

export interface JsonSecrets {
  spans: Span[];
  /** Where it ended. */
  end: number;
  /** Whether it was nothing but JSON, or lines of it. */
  isClean: boolean;
}

/**
 * The secrets in JSON, in lines of it, or in what resembles it. It is read in one go, without recursion; what is no
 * JSON is stepped over.
 * @param options.within the strength of what the value at `at` is within: then only this value is read.
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
    this.#frames = [frame(true, within)];
    // Kubernetes' Secrets, whose data may have any names.
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

  /** @returns where the next one is. */
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
    else this.#frames.push(frame(isArray, this.#frame.strength));
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
    // Tokens are counted, and passes.
    if (strength !== 'strong' || /(?:tokens|pass|cookies|secrets|credentials)$/i.test(key)) return;
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
    frame.strength = this.#findStrength(key, frame);
  }

  #findStrength(key: string, { inherited }: Frame): Strength | undefined {
    if (this.#hasSecretObjects && /^(?:data|stringData)$/.test(key)) return 'strong';
    const own = this.#finder.names.findStrength(key);
    if (inherited === 'strong') return own ?? (isAbout(key) ? undefined : 'strong');
    return own ?? (inherited === 'weak' && /^(?:id|key|value)$/i.test(key) ? 'weak' : undefined);
  }

  #value(start: number, end: number): void {
    const frame = this.#frame;
    const raw = this.#text.slice(start, end);
    const text = decodeEscapes(JSON_STRING, raw);
    const strength = frame.strength ?? this.#pair(frame, text, start, end);
    if (strength && isSecretValue(text, strength))
      this.#spans.push(toValueSpan(text, raw, start, JSON_STRING));
    else if (raw.length >= MIN_TEXT && STRUCTURE.test(raw)) this.#within(raw, start);
  }

  /** What names a value by standing beside it. */
  #pair(frame: Frame, text: string, start: number, end: number): Strength | undefined {
    if (frame.isArray) {
      const named = this.#finder.names.findStrength(frame.last) && 'weak';
      frame.last = text.slice(0, MAX_NAME);
      return named || undefined;
    }
    if (/^(?:name|key|field|header|param|parameter|id)$/i.test(frame.key) && text.length <= MAX_NAME) {
      frame.named = this.#finder.names.findStrength(text);
      if (frame.named && frame.value && isSecretValue(frame.value.secret, frame.named))
        this.#spans.push(frame.value);
      return undefined;
    }
    if (!/^(?:value|val|content|contents)$/i.test(frame.key)) return undefined;
    frame.value = toValueSpan(text, this.#text.slice(start, end), start, JSON_STRING);
    return frame.named;
  }

  /** A string that holds a text: JSON again, GraphQL, a URL, a line of a log. */
  #within(raw: string, start: number): void {
    const view = unescapeWithPlaces(raw, JSON_STRING);
    if (!view) {
      addSpans(this.#spans, this.#finder.named(raw), start);
      return;
    }
    for (const span of this.#finder.within(view.text))
      this.#spans.push({ ...span, start: start + view.at(span.start), end: start + view.at(span.end) });
  }
}

function frame(isArray: boolean, inherited: Strength | undefined): Frame {
  return { isArray, strength: inherited, inherited, key: '', named: undefined, value: undefined, last: '' };
}

/** Where the quote is that ends a string, or the text's end. */
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
