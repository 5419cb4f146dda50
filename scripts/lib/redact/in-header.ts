import { decodeWith, PERCENT } from './escapes.ts';
import type { Finder } from './find.ts';
import { pathSecrets } from './in-form.ts';
import { isOpaque } from './shapes.ts';
import type { Span } from './span.ts';
import { isSecretValue, valueSpan } from './value.ts';

/** The secrets in a header's value. */
export function headerSecrets(name: string, value: string, finder: Finder): Span[] {
  const lower = name.toLowerCase();
  if (lower === 'cookie') return cookieSecrets(value, finder);
  if (lower === 'set-cookie') return cookieSecrets(value.split(';', 1)[0] as string, finder);
  const strength = finder.names.strengthOf(name);
  if (strength && isSecretValue(value, strength)) return [valueSpan(value, value, 0)];
  return /^(?:https?:\/\/|\/)\S*$/.test(value) ? pathSecrets(value, finder) : finder.within(value);
}

/** All the values, https://www.rfc-editor.org/rfc/rfc6265#section-4.2; one without a name is a value. */
function cookieSecrets(text: string, finder: Finder): Span[] {
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
    const secret = decodeWith(PERCENT, value);
    // A language is a cookie's value, too, and stands elsewhere.
    const named =
      equals < 0 || finder.names.strengthOf(pair.slice(0, equals)) !== undefined || isChance(secret);
    spans.push({ start, end: start + value.length, secret, named });
  }
  return spans;
}

function isChance(value: string): boolean {
  return value.length >= 16 && isOpaque(value) && !/^https?:|\//.test(value);
}
