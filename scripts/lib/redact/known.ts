import type { Span } from './span.ts';

/** A shorter secret would be found in harmless texts. In characters. */
const MIN_LENGTH = 8;
/** These first characters of a secret must match; what matches of the rest is masked. */
const MAX_LENGTH = 64;
/** If more secrets start alike, they are no longer compared: everything that starts like them is masked. */
const MAX_ALIKE = 8;

interface Known {
  spelled: string;
  secret: string;
}

/**
 * Makes a function that finds known secrets anywhere in a text, in each spelling. Basic credentials are `user:password` in
 * Base64: their password counts as a known secret, too.
 * @returns undefined if no secret is long enough.
 */
export function createKnownFinder(secrets: Iterable<string>): ((text: string) => Span[]) | undefined {
  const byStart = new Map<string, Known[]>();
  const seen = new Set<string>();
  for (const secret of secrets) {
    for (const value of [secret, findPassword(secret)])
      if (value.length >= MIN_LENGTH && !seen.has(value)) {
        seen.add(value);
        for (const spelled of listSpellings(value)) addKnown(byStart, { spelled, secret: value });
      }
  }
  if (byStart.size === 0) return undefined;
  const pairs = new Uint8Array(65536);
  for (const start of byStart.keys()) pairs[pairAt(start, 0)] = 1;
  return (text) => search(text, byStart, pairs);
}

function addKnown(byStart: Map<string, Known[]>, known: Known): void {
  const start = known.spelled.slice(0, MIN_LENGTH);
  const alike = byStart.get(start);
  if (!alike) byStart.set(start, [known]);
  else if (alike.length < MAX_ALIKE) alike.push(known);
  else byStart.set(start, [{ spelled: start, secret: start }]);
}

function findPassword(secret: string): string {
  if (!/^[A-Za-z0-9+/]{8,1024}={0,2}$/.test(secret)) return '';
  const [, password = ''] =
    /^[\x20-\x7e]*?:([\x20-\x7e]+)$/.exec(atob(secret.slice(0, 4 * Math.floor(secret.length / 4)))) ?? [];
  return password;
}

function listSpellings(secret: string): Set<string> {
  if (/^[\w.~-]*$/.test(secret) || secret.length > 8192) return new Set([secret]);
  const percent = percentEncoded(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  const lower = percent.replace(/%[0-9A-F]{2}/g, (escaped) => escaped.toLowerCase());
  const entity = secret
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
  return new Set([
    secret,
    percent,
    lower,
    percent.replaceAll('%20', '+'),
    json,
    json.replaceAll('/', '\\/'),
    entity,
  ]);
}

function percentEncoded(secret: string): string {
  return secret.replace(/[^\w.~-]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

function pairAt(text: string, index: number): number {
  return ((text.charCodeAt(index) & 0xff) << 8) | (text.charCodeAt(index + 1) & 0xff);
}

function search(text: string, byStart: Map<string, Known[]>, pairs: Uint8Array): Span[] {
  const spans: Span[] = [];
  for (let at = 0; at + MIN_LENGTH <= text.length; ) {
    const alike = pairs[pairAt(text, at)] ? byStart.get(text.slice(at, at + MIN_LENGTH)) : undefined;
    const span = alike && findLongest(text, at, alike);
    if (span) spans.push(span);
    at = span ? span.end : at + 1;
  }
  return spans;
}

function findLongest(text: string, start: number, alike: Known[]): Span | undefined {
  let best: Span | undefined;
  for (const { spelled, secret } of alike) {
    if (!text.startsWith(spelled.slice(0, MAX_LENGTH), start)) continue;
    let length = Math.min(spelled.length, MAX_LENGTH);
    while (length < spelled.length && text[start + length] === spelled[length]) length++;
    const end = start + length;
    if (best && best.end >= end) continue;
    best = { start, end, secret: length === spelled.length ? secret : text.slice(start, end) };
    if (/^\d+$/.test(secret) && isBare(text, start, end)) best.isNumber = true;
  }
  return best;
}

/** Whether a match may be a number in JSON. */
function isBare(text: string, start: number, end: number): boolean {
  return /[\s:,[]/.test(text[start - 1] ?? ' ') && /[\s,\]}]/.test(text[end] ?? ' ');
}
