import { utf8 } from './escapes.ts';

/**
 * How surely a name is one of a secret: `strong` whatever its value; `weak` when the value looks like one, too, for
 * there are sessions at conferences and signatures on letters.
 */
export type Strength = 'strong' | 'weak';

export interface SecretNames {
  findStrength(name: string): Strength | undefined;
  /** What every such name contains; global, and linear. */
  roots: RegExp;
}

/** What a name may end in that says something about a secret, and is none. */
const ABOUT = new Set(
  `address age alg algorithm at attempts balance budget changed class count created date decimals details disabled
  duration email enabled endpoint endpoints error errors exists expiration expire expired expires expiry field file
  format headers hint in index info kind label lang left len length level lifetime limit limits link
  max message method min mode model name names needed options path period placeholder policy prefix price provider
  ref remaining required role roles rule rules scheme scope scopes size source state status strength support supported
  symbol time timeout timestamp title total ttl type types uri url urls usage use used user username valid
  version`.split(/\s+/),
);

/** Anywhere in a name, its dashes and dots left out. */
const CONTAINS = new RegExp(
  `passw(?:or)?d|passphrase|passcode|secret(?!ar[iy])|credential|csrf|xsrf|authorization|cookie|bearer|jwt|sess(?:ion)?id|
  session(?:key|token|secret|cookie)|(?:${keys().join('|')})key|keydata|(?:auth|verification|recovery|backup|security|mfa|
  otp|sms|twofactor|authorization)codes?|codeverifier|clientassertion|samlresponse|(?:requestverification|auth|access|
  refresh|id|api|user|device|push|login)tokens?`.replace(/\s+/g, ''),
);
/** A word of a name. */
const WORDS = new Set(['token', 'tokens']);
/** The last word of a name, or all of it. */
const LAST = new Set(['pass', 'pwd', 'pw', 'pin', 'otp', 'totp', 'cvv', 'cvv2', 'cvc', 'creds']);
const WEAK_LAST = new Set([
  'session',
  'sessions',
  'sess',
  'sid',
  'auth',
  'sig',
  'signature',
  'signatures',
  'assertion',
]);

function keys(): string[] {
  const owners =
    'api access private signing encryption auth master account shared ssh subscription functions service';
  return [
    ...owners.split(' '),
    'rapid',
    'host',
    'license',
    'application',
    'app',
    'storage',
    'deploy',
    'hmac',
  ];
}

/** Of a longer name only the end is looked at. */
const MAX_NAME = 128;

/**
 * Says which names are those of secrets: of a password, passphrase, secret, token, credential, session, cookie, CSRF or
 * one-time code, a JWT, a signature, an Authorization, an API, access, private, signing or similar key. Those that end
 * in what is about a secret (`token_type`, `password_policy`, `session_timeout`) are not.
 * @param extra names that are, too, whatever their case, dashes and underscores.
 */
export function createNames(extra: string[]): SecretNames {
  const whole = new Set(extra.map((name) => plain(utf8(name))).filter(Boolean));
  const rate = (name: string): Strength | undefined => {
    const short = name.slice(-MAX_NAME);
    return whole.has(plain(short)) ? 'strong' : findStrength(short);
  };
  return { findStrength: rate, roots: rootsWith([...whole]) };
}

function findStrength(name: string): Strength | undefined {
  const words = splitWords(name);
  const last = words.at(-1) ?? '';
  if (ABOUT.has(last) || words.slice(0, 2).join('') === 'accesscontrol') return undefined;
  if (CONTAINS.test(words.join('')) || LAST.has(last)) return 'strong';
  if (words.some((word) => WORDS.has(word)) || /tokens?$/.test(last)) return 'strong';
  return WEAK_LAST.has(last) || /sess(?:ion)?(?:id)?$/.test(last) ? 'weak' : undefined;
}

/** Whether a name within something secret is about it rather than part of it: a type, a time, a user. */
export function isAbout(name: string): boolean {
  return ABOUT.has(splitWords(name.slice(-MAX_NAME)).at(-1) ?? '');
}

/** Of `XApiKey-old_2`: x, api, key, old. */
function splitWords(name: string): string[] {
  return (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? []).map((word) => word.toLowerCase());
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '');
}

function rootsWith(extra: string[]): RegExp {
  const names = extra.map((name) =>
    Array.from(name, (character) => character.replace(/[^a-z0-9]/, '\\$&')).join('[-_]?'),
  );
  const short = '(?<![a-z])(?:pw|pin|t?otp|cvv2?|cvc|creds|auth|sig|sid)(?![a-z])';
  const key = `(?:${keys().join('|')})[-_. ]?key|key[-_]?data`;
  const codes = 'code[-_]?verifier|codes?(?![a-z])|samlresponse|assertion|signature';
  const long = 'passw|passphrase|passcode|pass(?![a-z])|pwd|secret|credential|token|csrf|xsrf|authorization';
  return new RegExp(
    [...names, long, 'cookie|bearer|jwt|sess', key, codes, short].filter(Boolean).join('|'),
    'gi',
  );
}
