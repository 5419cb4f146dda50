import { listHeader } from './headers.ts';
import type { Headers } from './http-message.ts';

/** A cookie with the fields of HAR 1.2, and the `sameSite` that browsers add. */
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

/** 9999-12-31T23:59:59.999Z: the last time whose year has four digits, as RFC 3339 requires. In ms since 1970. */
export const LAST_MS = 253_402_300_799_999;

/** Parses the cookies that a client sent, https://www.rfc-editor.org/rfc/rfc6265#section-4.2. */
export function parseRequestCookies(headers: Headers): Cookie[] {
  return listHeader(headers, 'cookie')
    .flatMap((value) => value.split(';'))
    .map((pair) => pair.trim())
    .filter(Boolean)
    .map(parsePair);
}

/**
 * Parses the cookies that a server set, https://www.rfc-editor.org/rfc/rfc6265#section-4.1.
 * @param received in ms since 1970; a Max-Age counts from there.
 */
export function parseResponseCookies(headers: Headers, received: number): Cookie[] {
  return listHeader(headers, 'set-cookie').map((value) => {
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

/** Max-Age wins over Expires. Expires is in UTC even if it does not say so. */
function findExpiry(attributes: Map<string, string>, received: number): string | undefined {
  const age = attributes.get('max-age') ?? '';
  const date = attributes.get('expires')?.replace(/(GMT|UTC)$/i, '');
  const ms = /^-?\d+$/.test(age) ? received + Number(age) * 1000 : Date.parse(`${date} GMT`);
  return Number.isNaN(ms) ? undefined : new Date(Math.min(Math.max(ms, 0), LAST_MS)).toISOString();
}

/** A cookie without an equals sign is a value without a name, as in browsers. */
function parsePair(text: string): { name: string; value: string } {
  const at = text.indexOf('=');
  return { name: text.slice(0, Math.max(at, 0)).trim(), value: text.slice(at + 1).trim() };
}

/** An attribute without an equals sign is a name without a value. */
function parseAttribute(text: string): { name: string; value: string } {
  return text.includes('=') ? parsePair(text) : { name: text.trim(), value: '' };
}
