import type { Mask } from './mask.ts';

/** Where in a text a secret is. Texts are bytes as Latin-1, a character a byte. */
export interface Span {
  start: number;
  end: number;
  /** The secret itself, its escapes undone. */
  secret: string;
  /** A number of JSON, which has to stay one. */
  isNumber?: boolean;
  /** It was found by its name, so it may be elsewhere without one. */
  named?: boolean;
}

/** Appends spans, however many: more than a call may have arguments. */
export function addSpans(spans: Span[], more: Span[], shift = 0): void {
  for (const span of more)
    spans.push(shift === 0 ? span : { ...span, start: shift + span.start, end: shift + span.end });
}

/**
 * Spans in their order, without overlaps: the one that begins first wins, of those the longest, of those the last; of
 * one that goes on beyond the winner's end, the rest stays.
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
 * Puts masks in place of secrets in a text that was cut into pieces, wherever it was cut.
 * @param spans in their order, without overlaps.
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
