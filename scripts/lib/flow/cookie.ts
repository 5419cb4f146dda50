import type { Headers } from './flow.ts';

/** A cookie as HAR 1.2 has it, and browsers' sameSite. */
export interface Cookie {
  name: string;
  value: string;
  path?: string;
  domain?: string;
  /** ISO 8601. */
  expires?: string;
  httpOnly?: boolean;
  secure?: boolean;
  sameSite?: string;
}

/** 9999-12-31T23:59:59.999Z: the last time that has a year of four digits, as RFC 3339 demands. */
export const LAST_MS = 253_402_300_799_999;

/** The cookies that a client sent, https://www.rfc-editor.org/rfc/rfc6265#section-4.2. */
export function parseRequestCookies(headers: Headers): Cookie[] {
  return findValues(headers, 'cookie')
    .flatMap((value) => value.split(';'))
    .map((pair) => pair.trim())
    .filter(Boolean)
    .map(parsePair);
}

/**
 * The cookies that a server set.
 * @param received when, in ms since 1970, for those that have a Max-Age.
 */
export function parseResponseCookies(headers: Headers, received: number): Cookie[] {
  return findValues(headers, 'set-cookie').map((value) => {
    const [pair = '', ...rest] = value.split(';');
    const attributes = new Map<string, string>();
    for (const { name, value } of rest.map((text) => parseAttribute(text)))
      attributes.set(name.toLowerCase(), value);
    return { ...parsePair(pair), ...toFields(attributes, received) };
  });
}

function toFields(attributes: Map<string, string>, received: number): Partial<Cookie> {
  const [path, domain, sameSite] = ['path', 'domain', 'samesite'].map((name) => attributes.get(name));
  const expires = findExpiry(attributes, received);
  return {
    ...(path && { path }),
    ...(domain && { domain }),
    ...(expires !== undefined && { expires }),
    httpOnly: attributes.has('httponly'),
    secure: attributes.has('secure'),
    ...(sameSite && { sameSite }),
  };
}

/** Max-Age goes before Expires, whose time is UTC even where it does not say so. */
function findExpiry(attributes: Map<string, string>, received: number): string | undefined {
  const age = attributes.get('max-age') ?? '';
  const date = attributes.get('expires')?.replace(/(GMT|UTC)$/i, '');
  const ms = /^-?\d+$/.test(age) ? received + Number(age) * 1000 : Date.parse(`${date} GMT`);
  return Number.isNaN(ms) ? undefined : new Date(Math.min(Math.max(ms, 0), LAST_MS)).toISOString();
}

/** Without an equals sign it is a value, as browsers have it. */
function parsePair(text: string): { name: string; value: string } {
  const at = text.indexOf('=');
  return { name: text.slice(0, Math.max(at, 0)).trim(), value: text.slice(at + 1).trim() };
}

/** Without an equals sign it is a name. */
function parseAttribute(text: string): { name: string; value: string } {
  return text.includes('=') ? parsePair(text) : { name: text.trim(), value: '' };
}

function findValues(headers: Headers, name: string): string[] {
  return headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}
