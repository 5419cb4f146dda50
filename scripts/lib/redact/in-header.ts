import { decodeEscapes, PERCENT } from './escapes.ts';
import type { Finder } from './finder.ts';
import { findInPath } from './in-form.ts';
import { isOpaque } from './shapes.ts';
import type { Span } from './span.ts';
import { isSecretValue, toValueSpan } from './value.ts';

/** Finds the secrets in the value of a header. */
export function findInHeader(name: string, value: string, finder: Finder): Span[] {
  const lower = name.toLowerCase();
  if (lower === 'cookie') return findInCookies(value, finder);
  if (lower === 'set-cookie') return findInCookies(value.split(';', 1)[0] as string, finder);
  const strength = finder.names.findStrength(name);
  if (strength && isSecretValue(value, strength)) return [toValueSpan(value, value, 0)];
  return /^(?:https?:\/\/|\/)\S*$/.test(value) ? findInPath(value, finder) : finder.within(value);
}

/** Every value of a cookie is a secret, https://www.rfc-editor.org/rfc/rfc6265#section-4.2. */
function findInCookies(text: string, finder: Finder): Span[] {
  const spans: Span[] = [];
  let offset = 0;
  for (const pair of text.split(';')) {
    const equals = pair.indexOf('=');
    const value = pair
      .slice(equals + 1)
      .trim()
      .replace(/^"|"$/g, '');
    const start = offset + pair.indexOf(value, equals + 1);
    offset += pair.length + 1;
    if (value === '') continue;
    const secret = decodeEscapes(PERCENT, value);
    // Only these are masked elsewhere, too: a cookie may also hold a language or a host.
    const named =
      equals < 0 || finder.names.findStrength(pair.slice(0, equals)) !== undefined || isRandom(secret);
    spans.push({ start, end: start + value.length, secret, named });
  }
  return spans;
}

function isRandom(value: string): boolean {
  return value.length >= 16 && isOpaque(value) && !/^https?:|\//.test(value);
}
