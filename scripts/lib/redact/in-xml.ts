import { decodeEscapes, ENTITY } from './escapes.ts';
import type { Finder } from './finder.ts';
import { addSpans, type Span } from './span.ts';
import { isSecretValue, toValueSpan } from './value.ts';

/** A tag, and the text after it. Neither contains another bracket, so the search is linear. */
const TAG = /<([/!?]?)([A-Za-z_[][\w.:[-]{0,127})?([^<>]*)(>?)([^<]*)/g;
const ATTRIBUTE = /(?<![\w.:-])([\w.:-]{1,128})\s*=\s*(?:"([^"]*)"|'([^']*)')/dg;
const CDATA = '[CDATA[';

/**
 * Finds the secrets of XML and HTML: in elements and attributes with the name of a secret, and in the value beside an
 * attribute that holds such a name: `<param name="password" value="…">`.
 */
export function findInXml(text: string, finder: Finder): Span[] {
  const spans: Span[] = [];
  let within = '';
  let depth = 0;
  for (const found of text.matchAll(TAG)) {
    const [whole, mark = '', name = '', rest = '', close, after = ''] = found;
    const start = found.index + 1 + mark.length + name.length;
    if (mark === '!') {
      if (within && name.startsWith(CDATA)) addSpans(spans, findInCdata(text, found.index, whole.length));
      continue;
    }
    if (mark === '' && name !== '') addSpans(spans, findInAttributes(rest, start, within !== '', finder));
    const isOpening = mark === '' && !rest.endsWith('/');
    if (within === name) depth += mark === '/' ? -1 : isOpening ? 1 : 0;
    else if (within === '' && isOpening && isSecretElement(name, finder)) [within, depth] = [name, 1];
    if (depth === 0) within = '';
    const from = found.index + whole.length - after.length;
    if (within !== '' && close) addSpans(spans, findInContent(after, from));
  }
  return spans;
}

function isSecretElement(name: string, finder: Finder): boolean {
  return finder.names.findStrength(name.slice(name.indexOf(':') + 1)) === 'strong';
}

function findInContent(raw: string, from: number): Span[] {
  const trimmed = raw.trim();
  const text = decodeEscapes(ENTITY, trimmed);
  if (!isSecretValue(text, 'strong')) return [];
  return [toValueSpan(text, trimmed, from + raw.indexOf(trimmed), ENTITY)];
}

/** A CDATA section may contain brackets. */
function findInCdata(text: string, index: number, length: number): Span[] {
  const from = index + 2 + CDATA.length;
  const found = text.slice(index, index + length).indexOf(']]>');
  const end = found < 0 ? index + length : index + found;
  const raw = text.slice(from, end);
  return isSecretValue(raw, 'strong') ? [toValueSpan(raw, raw, from)] : [];
}

function findInAttributes(text: string, from: number, isWithin: boolean, finder: Finder): Span[] {
  const found = Array.from(text.matchAll(ATTRIBUTE), ({ 1: name = '', 2: double, 3: single, indices }) => {
    const [start = 0] = indices?.[2] ?? indices?.[3] ?? [];
    const raw = double ?? single ?? '';
    return {
      name: name.slice(name.indexOf(':') + 1),
      raw,
      text: decodeEscapes(ENTITY, raw),
      start: from + start,
    };
  });
  const naming = found.find(({ name, text }) => {
    return /^(?:name|key|id|property|parameter)$/i.test(name) && finder.names.findStrength(text) === 'strong';
  });
  return found.flatMap(({ name, raw, text, start }) => {
    const isValue = (naming || isWithin) && /^(?:value|content)$/i.test(name);
    const strength = isValue ? 'strong' : finder.names.findStrength(name);
    return strength && isSecretValue(text, strength) ? [toValueSpan(text, raw, start, ENTITY)] : [];
  });
}
