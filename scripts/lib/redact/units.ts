import { MAX_BODY } from '../flow/body.ts';
import type { Value } from '../flow/tnetstring.ts';
import { utf8 } from './escapes.ts';
import type { Finder } from './finder.ts';
import { createKnownFinder } from './known.ts';
import type { Mask } from './mask.ts';
import { addSpans, maskPieces, mergeSpans, type Span } from './span.ts';

/** A text of the flow, perhaps in pieces, and the secrets in it. */
interface Unit {
  pieces: string[];
  spans: Span[];
  /** Puts the masked pieces into the flow. */
  put: (pieces: string[]) => void;
}

type Find = (text: string) => Span[];

/** Collects the texts of a flow, and masks their secrets once all are known. */
export class Units {
  readonly #finder: Finder;
  readonly #units: Unit[] = [];
  /** Whether anything in the flow has been changed. */
  isChanged = false;

  constructor(finder: Finder) {
    this.#finder = finder;
  }

  /** Adds a text of bytes in Latin-1, in pieces. */
  add(pieces: string[], find: Find, put: (pieces: string[]) => void): void {
    this.#units.push({ pieces, spans: find(pieces.join('')), put });
  }

  /** Adds a text or bytes. A value that is too long is replaced by a note. */
  addValue(value: string | Buffer, put: (value: Value) => void, find: Find): void {
    const isText = typeof value === 'string';
    if (value.length > MAX_BODY) {
      this.isChanged = true;
      put(isText ? formatNote('too long') : Buffer.from(formatNote('too long')));
      return;
    }
    const text = isText ? utf8(value) : value.toString('latin1');
    this.add([text], find, ([changed = '']) => {
      const bytes = Buffer.from(changed, 'latin1');
      put(isText ? bytes.toString('utf8') : bytes);
    });
  }

  /** Masks all secrets. Those that were found by name are masked wherever else they are. */
  mask(mask: Mask): void {
    const findKnown = createKnownFinder(this.#named());
    for (const { pieces, spans, put } of this.#units) {
      const text = pieces.length === 1 ? (pieces[0] as string) : pieces.join('');
      if (findKnown) addSpans(spans, findKnown(text));
      if (spans.length === 0) continue;
      put(maskPieces(pieces, mergeSpans(spans, text), mask));
      this.isChanged = true;
    }
  }

  *#named(): Generator<string> {
    for (const { spans } of this.#units)
      for (const { named, secret } of spans)
        if (named && !this.#finder.names.findStrength(secret)) yield secret;
  }
}

/** The note in place of something that could not be searched. */
export function formatNote(why: string): string {
  return `[redacted unread: ${why}]`;
}
