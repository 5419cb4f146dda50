import { UsageError } from '../util/error.ts';
import { utf8 } from './escapes.ts';
import { addSpans, type Span } from './span.ts';
import { TOKENS } from './tokens.ts';

/** What a kind of secret looks like, wherever it is. */
interface Shape {
  /** The groups are the secrets; without groups, the whole match is. Must be linear: nothing required follows an unbounded run that could contain it. */
  regex: RegExp;
  accept?: (secret: string) => boolean;
}

const TOKEN: Shape = { regex: new RegExp(TOKENS.map(([, token]) => token).join('|'), 'g') };

const CREDENTIALS: [hint: string, Shape][] = [
  // JSON Web Tokens, signed or encrypted, https://www.rfc-editor.org/rfc/rfc7519. The dots are optional to stay linear.
  ['eyJ', { regex: /eyJ[\w-]{6,}(?:\.[\w=-]*)*/g, accept: (secret) => secret.includes('.') }],
  [
    '[Bb]earer|BEARER',
    {
      regex: /\b(?:Bearer|bearer|BEARER)(?: |%20|\+){1,4}([A-Za-z0-9._~+/=%-]{8,})/dg,
      accept: (secret) => /\d/.test(secret) || secret.length >= 24,
    },
  ],
  [
    '[Bb]asic|BASIC',
    { regex: /\bBasic(?: |%20|\+){1,4}([A-Za-z0-9+/_-]{6,}={0,2})/dgi, accept: isUserAndPassword },
  ],
  ['Negotiate|NTLM', { regex: /\b(?:Negotiate|NTLM) {1,4}([A-Za-z0-9+/]{16,}={0,2})/dg }],
  // The token of a WebSocket to the Kubernetes API, https://github.com/kubernetes/kubernetes/pull/47740
  ['[Bb]earer', { regex: /base64url\.bearer\.authorization\.k8s\.io\.([\w=-]{8,})/dg }],
  // The password in a URL, or a token as its user.
  [':\\/\\/', { regex: /:\/\/[^\s/?#"'<>\\@:]*:([^\s/?#"'<>\\]*)@/dg }],
  [':\\/\\/', { regex: /:\/\/([^\s/?#"'<>\\@:]{16,})(?::[^\s/?#"'<>\\@]*)?@/dg, accept: isOpaque }],
  // Webhooks of Slack, Discord and Teams
  ['\\/services\\/T', { regex: /\/services\/T\w{6,12}\/B\w{6,12}\/(\w{16,})/dg }],
  ['\\/webhooks\\/', { regex: /\/api\/webhooks\/\d{15,22}\/([\w-]{50,})/dg }],
  ['\\/IncomingWebhook', { regex: /\/IncomingWebhook\/(\w{32}\/[\w-]{36})/dg }],
  // A link that logs in whoever has it.
  [
    '\\/tokens?\\/|reset|magic|\\/verify|\\/invit',
    {
      regex:
        /\/(?:tokens?|(?:password[-_]?)?reset(?:[-_]?password)?|magic[-_]?links?|verify(?:[-_]?email)?|invit(?:e|ation)s?)\/([A-Za-z0-9._~-]{20,})/dgi,
      accept: isOpaque,
    },
  ],
  // AUTH and HELLO of Redis, https://redis.io/docs/latest/develop/reference/protocol-spec/
  ['AUTH|auth\\r', { regex: /\bAUTH\r\n\$\d{1,9}\r\n([^\r\n]+)(?:\r\n\$\d{1,9}\r\n([^\r\n]+))?/dgi }],
  // PASS of FTP and POP, AUTH of SMTP
  ['PASS ', { regex: /(?<![^\n])PASS ([^\r\n]+)/dg }],
  ['AUTH', { regex: /\bAUTH (?:PLAIN|LOGIN|XOAUTH2|CRAM-MD5) ([A-Za-z0-9+/=]{4,})/dgi }],
];

/** A secret access key of AWS. Only the key id beside it shows that these 40 characters are not a hash. */
const AWS_SECRET = /(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])/g;
const AWS_ID = /(?:AKIA|ASIA)[A-Z2-7]{16}/;

/** Matches a part of every shape, so that most texts are done after one search. */
const HINT = new RegExp(
  [...new Set([...TOKENS, ...CREDENTIALS].map(([hint]) => hint)), 'PRIVATE KEY'].join('|'),
);

const PEM_BEGIN = /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g;

/** Finds what looks like a secret. */
export type FindShapes = (text: string) => Span[];

/**
 * @param patterns regular expressions of JavaScript for further secrets.
 * @throws UsageError for a pattern that is not a regular expression.
 */
export function createShapes(patterns: string[]): FindShapes {
  const extra = patterns.map((source): Shape => ({ regex: parsePattern(source) }));
  const shapes = [TOKEN, ...CREDENTIALS.map(([, shape]) => shape)];
  return (text) => {
    const spans = extra.flatMap((shape) => findSpans(shape, text));
    if (!HINT.test(text)) return spans;
    for (const shape of shapes) addSpans(spans, findSpans(shape, text));
    addSpans(spans, findPemKeys(text));
    if (AWS_ID.test(text)) addSpans(spans, findSpans({ regex: AWS_SECRET, accept: isMixed }, text));
    return spans;
  };
}

function parsePattern(source: string): RegExp {
  try {
    return new RegExp(utf8(source), 'g');
  } catch (error) {
    const [, reason = ''] = /: ([^:]*)$/.exec((error as Error).message) ?? [];
    throw new UsageError(`"${source}" is not a valid regular expression: ${reason}`);
  }
}

function findSpans({ regex, accept }: Shape, text: string): Span[] {
  const spans: Span[] = [];
  for (const found of text.matchAll(regex)) {
    const indices = found.indices ?? [];
    const whole: [number, number] = [found.index, found.index + found[0].length];
    const places = found.length > 1 ? indices.slice(1) : [whole];
    // A group that did not take part has no place.
    for (const [start, end] of places.filter((place) => place !== undefined)) {
      const secret = text.slice(start, end);
      if (end > start && (!accept || accept(secret))) spans.push({ start, end, secret });
    }
  }
  return spans;
}

/** Finds what is between the first and the last line of private keys; the last line may be cut off. */
function findPemKeys(text: string): Span[] {
  const spans: Span[] = [];
  for (const { 0: line, index } of text.matchAll(PEM_BEGIN)) {
    const start = index + line.length;
    if (start < (spans.at(-1)?.end ?? 0)) continue;
    const found = text.indexOf('-----END', start);
    const end = found < 0 ? text.length : found;
    spans.push({ start, end, secret: text.slice(start, end) });
  }
  return spans;
}

function isUserAndPassword(base64: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a user name and a password have none.
  return /^[^\x00-\x1f:]*:[^\x00-\x1f]*$/.test(Buffer.from(base64, 'base64').toString('latin1'));
}

/** Whether a text looks random rather than written by people. */
export function isOpaque(text: string): boolean {
  return /^\S{8,}$/.test(text) && (/\d/.test(text) || text.length >= 24) && /[A-Za-z\d]{4}/.test(text);
}

function isMixed(text: string): boolean {
  return /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text);
}
