/** A way to write characters, which is undone to find what they say. Texts are bytes as Latin-1. */
export interface Spelling {
  escape: RegExp;
  decode: (escaped: string) => string;
}

/** A text with its escapes undone, and where its characters are in what it was made of. */
export interface View {
  text: string;
  at: (index: number) => number;
}

const hex = (escaped: string) => String.fromCharCode(Number.parseInt(escaped.slice(1), 16));

export const PERCENT: Spelling = { escape: /%[0-9A-Fa-f]{2}/g, decode: hex };

/** https://url.spec.whatwg.org/#application/x-www-form-urlencoded */
export const FORM: Spelling = {
  escape: /%[0-9A-Fa-f]{2}|\+/g,
  decode: (escaped) => (escaped === '+' ? ' ' : hex(escaped)),
};

const CONTROLS: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** https://www.rfc-editor.org/rfc/rfc8259#section-7 */
export const JSON_STRING: Spelling = {
  escape: /\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\[^u]/g,
  decode: (escaped) => {
    const letter = escaped[1] as string;
    if (letter !== 'u') return CONTROLS[letter] ?? letter;
    const units = escaped.match(/[0-9a-fA-F]{4}/g) ?? [];
    return utf8(String.fromCharCode(...units.map((unit) => Number.parseInt(unit, 16))));
  },
};

const ENTITIES: Record<string, string> = { quot: '"', amp: '&', lt: '<', gt: '>', apos: "'" };

/** https://www.w3.org/TR/xml/#sec-references */
export const ENTITY: Spelling = {
  escape: /&(?:quot|amp|lt|gt|apos|#\d{1,6}|#x[0-9a-fA-F]{1,5});/g,
  decode: (escaped) => {
    const name = escaped.slice(1, -1);
    if (!name.startsWith('#')) return ENTITIES[name] ?? escaped;
    const code = name[1] === 'x' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return utf8(String.fromCodePoint(Math.min(code, 0x10ffff)));
  },
};

/** The bytes of a text as Latin-1. */
export function utf8(text: string): string {
  return Buffer.from(text).toString('latin1');
}

export function decodeEscapes(spelling: Spelling, text: string): string {
  return text.replace(spelling.escape, spelling.decode);
}

/** @returns undefined for a text without escapes. */
export function unescapeWithPlaces(raw: string, spelling: Spelling): View | undefined {
  const text = decodeEscapes(spelling, raw);
  if (text === raw) return undefined;
  let turns: [text: Int32Array, raw: Int32Array] | undefined;
  return {
    text,
    at: (index) => {
      turns ??= findTurns(raw, spelling);
      return findRawIndex(turns, index);
    },
  };
}

/** Where each run without escapes begins, in the text and in what it was made of. */
function findTurns(raw: string, spelling: Spelling): [Int32Array, Int32Array] {
  const { decode } = spelling;
  const [ins, outs] = [[0], [0]];
  let shift = 0;
  for (const found of raw.matchAll(spelling.escape)) {
    const start = found.index - shift;
    const length = decode(found[0]).length;
    shift += found[0].length - length;
    // The escape itself, then what comes after it.
    ins.push(start, start + length);
    outs.push(found.index, found.index + found[0].length);
  }
  return [Int32Array.from(ins), Int32Array.from(outs)];
}

function findRawIndex([ins, outs]: [Int32Array, Int32Array], index: number): number {
  let [low, high] = [0, ins.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((ins[middle] as number) <= index) low = middle;
    else high = middle - 1;
  }
  return Math.min((outs[low] as number) + index - (ins[low] as number), outs[low + 1] ?? Infinity);
}
