import { utf8 } from './escapes.ts';

/**
 * How likely a name means a secret. `strong`: always. `weak`: only if the value looks like a secret, since a session may
 * also be one of a conference.
 */
export type Strength = 'strong' | 'weak';

export interface SecretNames {
  /** @returns undefined if the name is not one of a secret. */
  findStrength(name: string): Strength | undefined;
  /** Matches a part of every such name. Global, and linear. */
  roots: RegExp;
}

/** Last words of names that describe a secret: `token_type`, `password_policy`. */
const ABOUT = new Set(
  `address age alg algorithm at attempts balance budget changed class count created date decimals details disabled
  duration email enabled endpoint endpoints error errors exists expiration expire expired expires expiry field file
  format headers hint in index info kind label lang left len length level lifetime limit limits link
  max message method min mode model name names needed options path period placeholder policy prefix price provider
  ref remaining required role roles rule rules scheme scope scopes size source state status strength support supported
  symbol time timeout timestamp title total ttl type types uri url urls usage use used user username valid
  version`.split(/\s+/),
);

/** Parts of a name without its dashes and dots. */
const CONTAINS = new RegExp(
  `passw(?:or)?d|passphrase|passcode|secret(?!ar[iy])|credential|csrf|xsrf|authorization|cookie|bearer|jwt|sess(?:ion)?id|
  session(?:key|token|secret|cookie)|(?:${keys().join('|')})key|keydata|(?:auth|verification|recovery|backup|security|mfa|
  otp|sms|twofactor|authorization)codes?|codeverifier|clientassertion|samlresponse|(?:requestverification|auth|access|
  refresh|id|api|user|device|push|login)tokens?`.replace(/\s+/g, ''),
);
/** Words anywhere in a name. */
const WORDS = new Set(['token', 'tokens']);
/** Last words of a name. */
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

/** Only the end of a longer name is checked. In characters. */
const MAX_NAME = 128;

/**
 * Makes the rules for names of secrets: passwords, passphrases, secrets, tokens, credentials, sessions, cookies, CSRF
 * tokens, one-time codes, JWTs, signatures, Authorization, and API, access, private, signing and similar keys. A name that
 * describes a secret (`token_type`, `password_policy`, `session_timeout`) is not one of a secret.
 * @param extra further names; their case, dashes and underscores do not matter.
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

/** Whether a field of a secret object describes the secret: a type, a time, a user. */
export function isAbout(name: string): boolean {
  return ABOUT.has(splitWords(name.slice(-MAX_NAME)).at(-1) ?? '');
}

/** Splits a name into its words: `XApiKey-old_2` has x, api, key, old. */
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
