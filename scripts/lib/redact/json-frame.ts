import { isAbout, type SecretNames, type Strength } from './names.ts';
import type { Span } from './span.ts';
import { isSecretValue } from './value.ts';

/** The longest key, and the longest string that names another value, in characters. */
export const MAX_NAME = 256;

/** An open object or array, and what it says about its next value. */
export interface Frame {
  isArray: boolean;
  /** How likely the next value is a secret, by its key. */
  strength: Strength | undefined;
  /** How likely everything in the object or array is a secret. */
  inherited: Strength | undefined;
  key: string;
  /** For `{"name": "password", "value": "…"}`: what the name says about the value, and the value if it came first. */
  named: Strength | undefined;
  value: Span | undefined;
  /** The last string of an array, which may name the next one: `["authorization", "…"]`. */
  last: string;
}

export function openFrame(isArray: boolean, inherited: Strength | undefined): Frame {
  return { isArray, strength: inherited, inherited, key: '', named: undefined, value: undefined, last: '' };
}

/**
 * How likely the value of a key is a secret.
 * @param hasSecrets whether the JSON holds Secrets of Kubernetes, whose data may have any names.
 */
export function rateKey(
  key: string,
  { inherited }: Frame,
  names: SecretNames,
  hasSecrets: boolean,
): Strength | undefined {
  if (hasSecrets && /^(?:data|stringData)$/.test(key)) return 'strong';
  const own = names.findStrength(key);
  if (inherited === 'strong') return own ?? (isAbout(key) ? undefined : 'strong');
  return own ?? (inherited === 'weak' && /^(?:id|key|value)$/i.test(key) ? 'weak' : undefined);
}

/**
 * Rates a string whose name is the value beside it, and remembers what the string may name.
 * @param toSpan makes the span of the string.
 * @returns the strength, and the span of an earlier value that this string names.
 */
export function rateNeighbor(
  frame: Frame,
  text: string,
  names: SecretNames,
  toSpan: () => Span,
): { strength?: Strength | undefined; earlier?: Span | undefined } {
  if (frame.isArray) {
    const strength = names.findStrength(frame.last) && 'weak';
    frame.last = text.slice(0, MAX_NAME);
    return { strength };
  }
  if (/^(?:name|key|field|header|param|parameter|id)$/i.test(frame.key) && text.length <= MAX_NAME) {
    const { value } = frame;
    frame.named = names.findStrength(text);
    const isNamed = frame.named && value && isSecretValue(value.secret, frame.named);
    return { earlier: isNamed ? value : undefined };
  }
  if (!/^(?:value|val|content|contents)$/i.test(frame.key)) return {};
  frame.value = toSpan();
  return { strength: frame.named };
}
