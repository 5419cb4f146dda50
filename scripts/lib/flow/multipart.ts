/** A part of a multipart body, https://www.rfc-editor.org/rfc/rfc2046#section-5.1. */
export interface Part {
  /** The part's headers, without the empty line after them. */
  head: string;
  /** Undefined for a part without an empty line, such as the final delimiter. */
  body: string | undefined;
  /** Indexes in the whole text. */
  headStart: number;
  bodyStart: number;
}

/** What comes before the first delimiter, and the parts. Together they cover the whole text but for the delimiters. */
export interface Multipart {
  preamble: string;
  parts: Part[];
}

/**
 * Splits a multipart body, given as bytes in Latin-1. Lines may end in LF alone.
 * @returns undefined if the delimiter never occurs.
 */
export function splitMultipart(text: string, boundary: string): Multipart | undefined {
  const delimiter = `--${boundary}`;
  let start = findFirst(text, delimiter);
  if (start < 0) return undefined;
  const multipart: Multipart = { preamble: text.slice(0, start), parts: [] };
  while (start < text.length) {
    const from = start + delimiter.length;
    const next = text.indexOf(`\n${delimiter}`, from);
    const end = next < 0 ? text.length : next;
    multipart.parts.push(parsePart(text.slice(from, end), from));
    start = next < 0 ? end : next + 1;
  }
  return multipart;
}

/** The first delimiter is at the start of a line; if there is none, anywhere. */
function findFirst(text: string, delimiter: string): number {
  if (text.startsWith(delimiter)) return 0;
  const lineEnd = text.indexOf(`\n${delimiter}`);
  return lineEnd < 0 ? text.indexOf(delimiter) : lineEnd + 1;
}

function parsePart(part: string, headStart: number): Part {
  const blank = /\r?\n\r?\n/.exec(part);
  if (!blank) return { head: part, body: undefined, headStart, bodyStart: headStart + part.length };
  const bodyStart = blank.index + blank[0].length;
  return {
    head: part.slice(0, blank.index),
    // The line end before the next delimiter is not part of the body.
    body: part.slice(bodyStart).replace(/\r$/, ''),
    headStart,
    bodyStart: headStart + bodyStart,
  };
}

/** A parameter of a part's Content-Disposition, https://www.rfc-editor.org/rfc/rfc7578#section-4.2. */
export function findPartParameter(head: string, name: 'name' | 'filename'): string | undefined {
  const [, quoted, token] = PARAMETERS[name].exec(head) ?? [];
  return quoted ?? token;
}

const PARAMETERS = {
  name: /[;\s]name=(?:"([^"]*)"|([^;\s]+))/i,
  filename: /[;\s]filename=(?:"([^"]*)"|([^;\s]+))/i,
};
