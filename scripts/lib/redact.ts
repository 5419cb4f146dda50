import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { bodyOf, headerOf } from './body.ts';
import { UsageError } from './error.ts';
import { type Flow, flowOf, type Headers } from './flow.ts';
import {
  maskOf,
  percentDecoded,
  type Redaction,
  redactFound,
  redactPairs,
  redactText,
} from './redact-text.ts';
import { isSecretName, Mask, plainName } from './secret.ts';
import type { Dict, Value } from './tnetstring.ts';

export interface RedactOptions {
  /** Further names of fields that hold credentials; case, `-` and `_` do not matter. */
  names?: string[];
  /** Further regular expressions, in JavaScript's syntax. */
  patterns?: string[];
}

/** Fields of a flow's state that are mitmproxy's own, and of which something would break. */
const KEPT = new Set([
  'version',
  'type',
  'id',
  'http_version',
  'scheme',
  'method',
  'client_conn',
  'server_conn',
  'reason',
]);

/** Headers that are credentials, or have some, by the names that do not say so. */
const COOKIES = new Set(['cookie', 'set-cookie', 'set-cookie2']);

/**
 * Makes a function that masks the credentials in a flow: by the names of headers, cookies, queries, forms, JSON and XML,
 * and by the shape of tokens, wherever they are, what the flow was before it was changed included. A mask is as long as
 * the secret, and the same for the same secret in all flows of this function.
 * @throws UsageError for a pattern that is no regular expression.
 */
export function redactor({ names = [], patterns = [] }: RedactOptions): (flow: Flow) => Flow {
  const shared = { mask: new Mask(), names: new Set(names.map(plainName)), patterns: patterns.map(regexOf) };
  return (flow) => {
    const redaction: Redaction = { ...shared, found: new Set() };
    const once = redactState(flow.state, (text) => redactText(text, redaction), redaction);
    // What was found in one place may be in another that was looked at before.
    const all = redaction.found.size > 0 ? redactAll(once, (text) => redactFound(text, redaction)) : once;
    return flowOf(all as Dict);
  };
}

function regexOf(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'g');
  } catch (error) {
    throw new UsageError(
      `"${pattern}" is no regular expression: ${(error as Error).message.replace(/^.*: /, '')}`,
    );
  }
}

type Rewrite = (text: string) => string;

function redactState(state: Dict, rewrite: Rewrite, redaction: Redaction): Dict {
  const copy: Dict = new Map();
  for (const [key, value] of state) {
    if ((key === 'request' || key === 'response') && value instanceof Map)
      copy.set(key, redactMessage(value, rewrite, redaction));
    else if (key === 'backup' && value instanceof Map) copy.set(key, redactState(value, rewrite, redaction));
    else if (key === 'metadata' && value instanceof Map)
      copy.set(key, redactNamed(value, rewrite, redaction));
    else copy.set(key, KEPT.has(key) ? value : deep(value, rewrite));
  }
  return copy;
}

/** As redactState, of a state in which no names are looked at any more. Encoded bodies have no longer any. */
function redactAll(state: Value, rewrite: Rewrite): Value {
  if (!(state instanceof Map)) return deep(state, rewrite);
  return new Map(
    [...state].map(([key, value]): [string, Value] => {
      if (KEPT.has(key)) return [key, value];
      if (key === 'request' || key === 'response')
        return [
          key,
          value instanceof Map ? rewriteMessage(value, rewrite, (field) => deep(field, rewrite)) : value,
        ];
      return [key, redactAll(value, rewrite)];
    }),
  );
}

function redactNamed(dict: Dict, rewrite: Rewrite, redaction: Redaction): Dict {
  return new Map(
    [...dict].map(([key, value]): [string, Value] => [
      key,
      typeof value === 'string' && isSecretName(key, redaction.names)
        ? maskOf(value, value, redaction)
        : deep(value, rewrite),
    ]),
  );
}

/** Every text and all bytes in a value, rewritten. */
function deep(value: Value, rewrite: Rewrite): Value {
  if (Buffer.isBuffer(value)) return onBytes(value, rewrite);
  if (typeof value === 'string') return onBytes(Buffer.from(value), rewrite).toString('utf8');
  if (Array.isArray(value)) return value.map((item) => deep(item, rewrite));
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, deep(item, rewrite)]));
  return value;
}

function onBytes(bytes: Buffer, rewrite: Rewrite): Buffer {
  const text = bytes.toString('latin1');
  const rewritten = rewrite(text);
  return rewritten === text ? bytes : Buffer.from(rewritten, 'latin1');
}

// -- HTTP messages

function redactMessage(message: Dict, rewrite: Rewrite, redaction: Redaction): Dict {
  return rewriteMessage(message, rewrite, (field) => redactHeader(field, rewrite, redaction));
}

/** Headers, path, host and body, rewritten; where the body is another, the headers say so. */
function rewriteMessage(message: Dict, rewrite: Rewrite, onHeader: (field: Value) => Value): Dict {
  const copy: Dict = new Map();
  for (const [key, value] of message) {
    if (key === 'headers' || key === 'trailers')
      copy.set(key, Array.isArray(value) ? value.map(onHeader) : value);
    else copy.set(key, KEPT.has(key) || key === 'content' ? value : deep(value, rewrite));
  }
  const [content, fields] = [message.get('content'), message.get('headers')];
  if (!Buffer.isBuffer(content) || content.length === 0 || !Array.isArray(fields)) return copy;
  const headers = fields.map((field) => (field as Buffer[]).map(String)) as Headers;
  const body = redactBody(content, headers, rewrite);
  if (body.content === content) return copy;
  copy.set('content', body.content);
  copy.set(
    'headers',
    (copy.get('headers') as Value[]).flatMap((field) => adjust(field, body)),
  );
  return copy;
}

function adjust(field: Value, { content, isEncoded }: Body): Value[] {
  const [name] = field as [Buffer, Buffer];
  const key = String(name).toLowerCase();
  if (key === 'content-encoding' && !isEncoded) return [];
  return key === 'content-length' ? [[name, Buffer.from(String(content.length))]] : [field];
}

const ENCODERS: Record<string, ((bytes: Buffer) => Buffer) | undefined> = {
  gzip: (bytes) => gzipSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  br: (bytes) => brotliCompressSync(bytes),
};
const UNREADABLE = Buffer.from('[left out by --redact: a body that cannot be decoded]');

interface Body {
  content: Buffer;
  /** Whether it has the encoding that the headers say. */
  isEncoded: boolean;
}

function redactBody(content: Buffer, headers: Headers, rewrite: Rewrite): Body {
  const encoding = (headerOf(headers, 'content-encoding') ?? '').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity')
    return { content: onBytes(content, rewrite), isEncoded: true };
  const decoded = bodyOf({ content, headers });
  // What claims to be encoded, and is not, is no secret's hiding place either.
  if (decoded === content) return { content: UNREADABLE, isEncoded: false };
  const redacted = onBytes(decoded, rewrite);
  if (redacted === decoded) return { content, isEncoded: true };
  const encode = Object.hasOwn(ENCODERS, encoding) ? ENCODERS[encoding] : undefined;
  return encode ? { content: encode(redacted), isEncoded: true } : { content: redacted, isEncoded: false };
}

function redactHeader(field: Value, rewrite: Rewrite, redaction: Redaction): Value {
  if (!Array.isArray(field)) return field;
  const [name, value] = field as [Buffer, Buffer];
  const key = String(name).toLowerCase();
  const text = value.toString('latin1');
  return [name, Buffer.from(redactValue(key, text, rewrite, redaction), 'latin1')];
}

function redactValue(key: string, text: string, rewrite: Rewrite, redaction: Redaction): string {
  if (COOKIES.has(key)) return redactCookies(text, key === 'cookie', redaction);
  if (!isSecretName(key, redaction.names)) return rewrite(text);
  const [, scheme = '', secret = text] =
    /^((?:basic|bearer|digest|token|negotiate|apikey|aws4-hmac-sha256) +)(.*)$/is.exec(text) ?? [];
  if (/^basic/i.test(scheme)) rememberBasic(secret, redaction);
  // Several parameters: their names stay.
  if (/^(digest|aws4)/i.test(scheme))
    return (
      scheme +
      secret.replace(/(=\s*"?)([^",]+)/g, (_, before, value) => before + maskOf(value, value, redaction))
    );
  return scheme + maskOf(secret, secret, redaction);
}

/** The password may be elsewhere by itself. */
function rememberBasic(base64: string, redaction: Redaction): void {
  const decoded = Buffer.from(base64, 'base64').toString('latin1');
  const colon = decoded.indexOf(':');
  if (colon > 0) maskOf('', decoded.slice(colon + 1), redaction);
}

/** Names and attributes stay. */
function redactCookies(text: string, isRequest: boolean, redaction: Redaction): string {
  const mask = (pair: string) =>
    pair.replace(
      /^([^=]*=\s*"?)([^"]*)/,
      (_, before: string, value: string) => before + maskOf(value, percentDecoded(value), redaction),
    );
  if (isRequest) return text.split(';').map(mask).join(';');
  const [first = '', ...attributes] = text.split(';');
  return [mask(first), ...attributes.map((attribute) => redactPairs(attribute, redaction))].join(';');
}
