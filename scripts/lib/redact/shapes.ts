import { UsageError } from '../util/error.ts';
import { utf8 } from './escapes.ts';
import { addSpans, type Span } from './span.ts';

/** What secrets look like that say themselves what they are. */
interface Shape {
  /** Linear on whatever text: what follows an unbounded run is optional, or can't be in the run. */
  regex: RegExp;
  /** Of the groups, each is a secret; without groups the whole is. */
  accept?: (secret: string) => boolean;
}

const WORD = '[A-Za-z0-9_-]';

/** Tokens of one word, by whom they are of. Formats: their documentation, and what secret scanners look for. */
const TOKENS = [
  // AWS, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
  '(?<![A-Z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Z0-9])',
  // GitHub, GitLab
  '(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\\w{30,})',
  `gl(?:pat|dt|rt|rtr|cbt|ptt|oas|ft|soat|imt|agent|ffct|wt)-[\\w.-]{20,}`,
  // Slack
  `xox[a-z](?:\\.xox[a-z])?-${WORD}{10,}`,
  `xapp-\\d-${WORD}{10,}`,
  // Google: API keys, OAuth tokens, client secrets, refresh tokens
  `(?<!${WORD})AIza${WORD}{35}`,
  `(?<!${WORD})ya29\\.[\\w.-]{20,}`,
  `GOCSPX-${WORD}{20,}`,
  `(?<!\\w)1//0${WORD}{20,}`,
  // Stripe
  '(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}',
  'whsec_[A-Za-z0-9+/=]{20,}',
  // Registries: npm, PyPI, Docker, RubyGems, crates.io
  'npm_[A-Za-z0-9]{30,}',
  `pypi-AgE${WORD}{40,}`,
  `dckr_[po]at_${WORD}{20,}`,
  'rubygems_[a-f0-9]{40,}',
  '(?<!\\w)cio[A-Za-z0-9]{32}(?!\\w)',
  // Models: OpenAI, Anthropic, Hugging Face
  `(?<!${WORD})sk-(?:proj|ant|svcacct|admin|or)-${WORD}{20,}`,
  `(?<!${WORD})sk-[A-Za-z0-9]{32,}`,
  '(?<!\\w)hf_[A-Za-z0-9]{30,}',
  // SendGrid, Mailgun, Twilio, Mailchimp
  `SG\\.${WORD}{16,32}\\.${WORD}{16,}`,
  '(?<!\\w)key-[0-9a-f]{32}(?!\\w)',
  '(?<!\\w)SK[0-9a-f]{32}(?!\\w)',
  '(?<!\\w)[0-9a-f]{32}-us\\d{1,2}(?!\\w)',
  // Shopify, Square, DigitalOcean, HashiCorp, Databricks, Grafana, New Relic, Linear, Notion, Atlassian, Postman
  'shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32,}',
  `sq0(?:atp|csp|idp)-${WORD}{20,}`,
  'do[opr]_v1_[a-f0-9]{40,}',
  `(?<!\\w)hv[sbr]\\.${WORD}{24,}`,
  `(?<=\\w{14})\\.atlasv1\\.${WORD}{40,}`,
  '(?<!\\w)dapi[a-f0-9]{32}',
  'gl(?:sa|c)_[A-Za-z0-9_+/=]{32,}',
  'NRAK-[A-Z0-9]{27}',
  'lin_(?:api|oauth)_[A-Za-z0-9]{32,}',
  '(?<!\\w)ntn_[A-Za-z0-9]{40,}',
  `ATATT3[\\w=-]{50,}`,
  `PMAK-[a-f0-9]{24}-[a-f0-9]{34}`,
  // Telegram, Facebook, Supabase, PlanetScale, age, Doppler, Fly
  `(?<!\\w)\\d{8,10}:AA${WORD}{33}`,
  '(?<!\\w)EAA[A-Za-z0-9]{80,}',
  'sbp_[a-f0-9]{40}',
  'pscale_(?:tkn|pw|oauth)_[\\w.-]{30,}',
  'AGE-SECRET-KEY-1[A-Z0-9]{50,}',
  '(?<!\\w)dp\\.(?:pt|st|ct|sa|scim|audit)\\.[\\w.-]{36,}',
  'fo1_[\\w-]{40,}',
  // Hashes of passwords: bcrypt, argon2, crypt's SHA
  '\\$2[abxy]\\$\\d\\d\\$[./A-Za-z0-9]{53}',
  '\\$argon2id?\\$[\\w$=,+/]{40,}',
  '\\$[56]\\$[\\w$./=]{40,}',
];
const TOKEN: Shape = { regex: new RegExp(TOKENS.join('|'), 'g') };

const CREDENTIALS: Shape[] = [
  // JSON Web Tokens, signed or encrypted, https://www.rfc-editor.org/rfc/rfc7519; the dots must be optional to be linear.
  { regex: /eyJ[\w-]{6,}(?:\.[\w=-]*)*/g, accept: (secret) => secret.includes('.') },
  {
    regex: /\b(?:Bearer|bearer|BEARER)(?: |%20|\+){1,4}([A-Za-z0-9._~+/=%-]{8,})/dg,
    accept: (secret) => /\d/.test(secret) || secret.length >= 24,
  },
  { regex: /\bBasic(?: |%20|\+){1,4}([A-Za-z0-9+/_-]{6,}={0,2})/dgi, accept: isUserAndPassword },
  { regex: /\b(?:Negotiate|NTLM) {1,4}([A-Za-z0-9+/]{16,}={0,2})/dg },
  // Kubernetes' token of a WebSocket: https://github.com/kubernetes/kubernetes/pull/47740
  { regex: /base64url\.bearer\.authorization\.k8s\.io\.([\w=-]{8,})/dg },
  { regex: /:\/\/[^\s/?#"'<>\\@:]*:([^\s/?#"'<>\\]*)@/dg },
  { regex: /:\/\/([^\s/?#"'<>\\@:]{16,})(?::[^\s/?#"'<>\\@]*)?@/dg, accept: isOpaque },
  // Webhooks of Slack, Discord and Teams
  { regex: /\/services\/T\w{6,12}\/B\w{6,12}\/(\w{16,})/dg },
  { regex: /\/api\/webhooks\/\d{15,22}\/([\w-]{50,})/dg },
  { regex: /\/IncomingWebhook\/(\w{32}\/[\w-]{36})/dg },
  // A link that lets in whoever has it.
  {
    regex:
      /\/(?:tokens?|(?:password[-_]?)?reset(?:[-_]?password)?|magic[-_]?links?|verify(?:[-_]?email)?|invit(?:e|ation)s?)\/([A-Za-z0-9._~-]{20,})/dgi,
    accept: isOpaque,
  },
  // Redis' AUTH, and HELLO's, https://redis.io/docs/latest/develop/reference/protocol-spec/
  { regex: /\bAUTH\r\n\$\d{1,9}\r\n([^\r\n]+)(?:\r\n\$\d{1,9}\r\n([^\r\n]+))?/dgi },
  // FTP's and POP's PASS, SMTP's AUTH
  { regex: /(?<![^\n])PASS ([^\r\n]+)/dg },
  { regex: /\bAUTH (?:PLAIN|LOGIN|XOAUTH2|CRAM-MD5) ([A-Za-z0-9+/=]{4,})/dgi },
];

/** Beside an AWS key's id, which alone says that these 40 characters are no hash. */
const AWS_SECRET = /(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])/g;
const AWS_ID = /(?:AKIA|ASIA)[A-Z2-7]{16}/;

/** Something of each of them, so that a text without any is done after one search. */
const HINT =
  /(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]|gh[pousr]_|github_pat|gl(?:pat|dt|rt|rtr|cbt|ptt|oas|ft|soat|imt|agent|ffct|wt)-|xox[a-z]|xapp-|AIza|ya29|GOCSPX|1\/\/0|k_live_|k_test_|whsec_|npm_|pypi-|dckr_|rubygems_|cio[A-Za-z0-9]{32}|sk-|hf_|SG\.|key-[0-9a-f]|SK[0-9a-f]{8}|-us\d|shp[a-z]{2}_|sq0|do[opr]_v1|hv[sbr]\.|atlasv1|dapi|gl(?:sa|c)_|NRAK|lin_|ntn_|ATATT3|PMAK|:AA|EAA|sbp_|pscale_|AGE-SECRET|dp\.|fo1_|\$2[abxy]\$|\$argon2|\$[56]\$|eyJ|[Bb]earer|BEARER|[Bb]asic|BASIC|Negotiate|NTLM|:\/\/|\/services\/T|\/webhooks\/|\/IncomingWebhook|\/tokens?\/|reset|magic|\/verify|\/invit|AUTH|auth\r|PASS |PRIVATE KEY/;

const PEM_BEGIN = /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g;

/** Finds what has the shape of a secret. */
export type Shapes = (text: string) => Span[];

/**
 * @param patterns JavaScript's regular expressions; what they match is a secret, too.
 * @throws UsageError for one that is none.
 */
export function createShapes(patterns: string[]): Shapes {
  const extra = patterns.map((source): Shape => ({ regex: parsePattern(source) }));
  return (text) => {
    const spans = extra.flatMap((shape) => findSpans(shape, text));
    if (!HINT.test(text)) return spans;
    for (const shape of [TOKEN, ...CREDENTIALS]) addSpans(spans, findSpans(shape, text));
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
    throw new UsageError(`"${source}" is no regular expression: ${reason}`);
  }
}

function findSpans({ regex, accept }: Shape, text: string): Span[] {
  const spans: Span[] = [];
  for (const found of text.matchAll(regex)) {
    const indices = found.indices ?? [];
    const whole: [number, number] = [found.index, found.index + found[0].length];
    // A group that took no part has none.
    for (const [start, end] of (found.length > 1 ? indices.slice(1) : [whole]).filter(
      (pair) => pair !== undefined,
    )) {
      const secret = text.slice(start, end);
      if (end > start && (!accept || accept(secret))) spans.push({ start, end, secret });
    }
  }
  return spans;
}

/** What is between the lines of a private key, or after the first when the last was cut off. */
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
  // biome-ignore lint/suspicious/noControlCharactersInRegex: text has none.
  return /^[^\x00-\x1f:]*:[^\x00-\x1f]*$/.test(Buffer.from(base64, 'base64').toString('latin1'));
}

/** Whether it looks made by chance rather than by people. */
export function isOpaque(text: string): boolean {
  return /^\S{8,}$/.test(text) && (/\d/.test(text) || text.length >= 24) && /[A-Za-z\d]{4}/.test(text);
}

function isMixed(text: string): boolean {
  return /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text);
}
