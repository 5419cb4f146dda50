/** A way to escape characters. Texts are bytes in Latin-1. */
export interface Escapes {
  pattern: RegExp;
  decode: (escaped: string) => string;
}

/** A text with its escapes undone. */
export interface Unescaped {
  text: string;
  /** The position in the escaped text of a position in this text. */
  at: (index: number) => number;
}

const hex = (escaped: string) => String.fromCharCode(Number.parseInt(escaped.slice(1), 16));

export const PERCENT: Escapes = { pattern: /%[0-9A-Fa-f]{2}/g, decode: hex };

/** https://url.spec.whatwg.org/#application/x-www-form-urlencoded */
export const FORM: Escapes = {
  pattern: /%[0-9A-Fa-f]{2}|\+/g,
  decode: (escaped) => (escaped === '+' ? ' ' : hex(escaped)),
};

const CONTROLS: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** https://www.rfc-editor.org/rfc/rfc8259#section-7 */
export const JSON_STRING: Escapes = {
  pattern: /\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\[^u]/g,
  decode: (escaped) => {
    const letter = escaped[1] as string;
    if (letter !== 'u') return CONTROLS[letter] ?? letter;
    const units = escaped.match(/[0-9a-fA-F]{4}/g) ?? [];
    return utf8(String.fromCharCode(...units.map((unit) => Number.parseInt(unit, 16))));
  },
};

const ENTITIES: Record<string, string> = { quot: '"', amp: '&', lt: '<', gt: '>', apos: "'" };

/** https://www.w3.org/TR/xml/#sec-references */
export const ENTITY: Escapes = {
  pattern: /&(?:quot|amp|lt|gt|apos|#\d{1,6}|#x[0-9a-fA-F]{1,5});/g,
  decode: (escaped) => {
    const name = escaped.slice(1, -1);
    if (!name.startsWith('#')) return ENTITIES[name] ?? escaped;
    const code = name[1] === 'x' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return utf8(String.fromCodePoint(Math.min(code, 0x10ffff)));
  },
};

/** The UTF-8 bytes of a text, in Latin-1. */
export function utf8(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Undoes escapes. */
export function decodeEscapes(escapes: Escapes, text: string): string {
  return text.replace(escapes.pattern, escapes.decode);
}

/** Undoes escapes and remembers their places. @returns undefined for a text without escapes. */
export function unescapeWithPlaces(raw: string, escapes: Escapes): Unescaped | undefined {
  const text = decodeEscapes(escapes, raw);
  if (text === raw) return undefined;
  let runs: Runs | undefined;
  return {
    text,
    at: (index) => {
      runs ??= findRuns(raw, escapes);
      return findRawIndex(runs, index);
    },
  };
}

/** The start of each escape and of each run without escapes: in the unescaped text, and in the escaped one. */
interface Runs {
  text: Int32Array;
  raw: Int32Array;
}

function findRuns(raw: string, { pattern, decode }: Escapes): Runs {
  const [texts, raws] = [[0], [0]];
  let shift = 0;
  for (const found of raw.matchAll(pattern)) {
    const start = found.index - shift;
    const length = decode(found[0]).length;
    shift += found[0].length - length;
    // The escape, and the run after it.
    texts.push(start, start + length);
    raws.push(found.index, found.index + found[0].length);
  }
  return { text: Int32Array.from(texts), raw: Int32Array.from(raws) };
}

function findRawIndex({ text, raw }: Runs, index: number): number {
  let [low, high] = [0, text.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((text[middle] as number) <= index) low = middle;
    else high = middle - 1;
  }
  return Math.min((raw[low] as number) + index - (text[low] as number), raw[low + 1] ?? Infinity);
}
