import { type Escapes, unescapeWithPlaces } from './escapes.ts';
import type { Strength } from './names.ts';
import { SCHEME } from './schemes.ts';
import { isOpaque } from './shapes.ts';
import type { Span } from './span.ts';

/** Values that are not secrets, such as the masks of other tools. */
const NOTHING = /^(?:true|false|null|undefined|none|nil|yes|no|on|off|[*\u2022.\s-]*)$/i;

/** Whether a value with the name of a secret is a secret. */
export function isSecretValue(text: string, strength: Strength): boolean {
  if (text.length < 64 && NOTHING.test(text)) return false;
  return strength === 'strong' || isOpaque(text);
}

/** The span of a value, without the scheme before it: `Bearer`. */
export function toValueSpan(text: string, raw: string, start: number, escapes?: Escapes): Span {
  const end = start + raw.length;
  const [scheme] = SCHEME.exec(text) ?? [''];
  if (scheme === '') return { start, end, secret: text, named: true };
  const at = (escapes && unescapeWithPlaces(raw, escapes)?.at(scheme.length)) ?? scheme.length;
  return { start: start + at, end, secret: text.slice(scheme.length), named: true };
}
