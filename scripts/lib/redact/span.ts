import type { Mask } from './mask.ts';

/** The position of a secret in a text. Texts are bytes in Latin-1: one character per byte. */
export interface Span {
  start: number;
  end: number;
  /** The secret, with its escapes undone. */
  secret: string;
  /** Whether it is a number in JSON; its mask must be one, too. */
  isNumber?: boolean;
  /** Whether it was found by its name. The same secret may be elsewhere without a name. */
  named?: boolean;
}

/** Appends spans. `push(...more)` would fail for very many. */
export function addSpans(spans: Span[], more: Span[], shift = 0): void {
  for (const span of more)
    spans.push(shift === 0 ? span : { ...span, start: shift + span.start, end: shift + span.end });
}

/**
 * Sorts spans and removes overlaps. The span that starts first wins; among those the longest; among those the last. If a
 * losing span ends after the winner, its rest stays.
 */
export function mergeSpans(spans: Span[], text: string): Span[] {
  const order = spans.map((span, index) => ({ span, index }));
  order.sort((a, b) => a.span.start - b.span.start || b.span.end - a.span.end || b.index - a.index);
  const out: Span[] = [];
  let end = 0;
  for (const { span } of order) {
    if (span.end <= Math.max(end, span.start)) continue;
    const rest = { start: end, end: span.end, secret: text.slice(end, span.end) };
    out.push(span.start >= end ? span : rest);
    end = span.end;
  }
  return out;
}

/**
 * Replaces secrets by masks in a text that is split into pieces. A secret may cross pieces.
 * @param spans sorted, without overlaps.
 */
export function maskPieces(pieces: string[], spans: Span[], mask: Mask): string[] {
  const masks = spans.map(({ secret, isNumber }) => mask(secret, isNumber));
  let offset = 0;
  let first = 0;
  return pieces.map((piece) => {
    const limit = offset + piece.length;
    let out = '';
    let at = offset;
    for (; first < spans.length; first++) {
      const span = spans[first] as Span;
      if (span.start >= limit) break;
      const from = Math.max(span.start, offset);
      const to = span.end <= limit ? undefined : limit - span.start;
      out += piece.slice(at - offset, from - offset);
      out += (masks[first] as string).slice(from - span.start, to);
      at = Math.min(span.end, limit);
      if (span.end > limit) break;
    }
    out += piece.slice(at - offset);
    offset = limit;
    return out;
  });
}
