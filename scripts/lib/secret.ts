import { createHmac, randomBytes } from 'node:crypto';

/** What a field is called that holds a credential: one of these words among those of its name … */
const WORDS =
  /^(authorization|auth|password|passwd|pwd|passphrase|passcode|pin|otp|totp|secret|secrets|token|tokens|jwt|credential|credentials|cookie|session|sessionid|sid|apikey|signature|sig|hmac|csrf|xsrf|cvv|cvc|ssn|assertion|jsessionid|phpsessid|connectionstring)$/;
/** … or one of these in it, written together. */
const PARTS =
  /password|passwd|passphrase|secret|apikey|accesskey|privatekey|authtoken|accesstoken|refreshtoken|idtoken|sessionid|sessiontoken|sessionkey|securitytoken|credential|clientassertion|csrftoken|xsrftoken|encryptionkey|signingkey|sharedkey|masterkey|authorization|bearer|connectionstring/;
/** Names that have such a word, and say nothing. */
const HARMLESS =
  /^(tokentype|tokencount|maxtokens|tokens?used|prompttokens|completiontokens|totaltokens|tokenizer|tokenendpoint|expiresin|sessioncount|authmethod|authtype|authtime|signaturealgorithm|passwordpolicy|wwwauthenticate|authority)$/;

/** What tells by its shape that it is a credential; each begins with what is seldom, and ends by itself. */
const SHAPES = new RegExp(
  [
    String.raw`eyJ[\w-]{6,}\.[\w-]{2,}(?:\.[\w-]*){0,3}`, // JWT, https://www.rfc-editor.org/rfc/rfc7519
    '(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{16}', // AWS
    'gh[pousr]_[A-Za-z0-9]{20,}', // GitHub
    String.raw`github_pat_\w{20,}`,
    String.raw`gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-[\w-]{16,}`, // GitLab
    String.raw`xox[abeoprs]-[\w-]{10,}`, // Slack
    String.raw`xapp-[\w-]{10,}`,
    String.raw`AIza[\w-]{30,}`, // Google
    String.raw`ya29\.[\w-]{20,}`,
    String.raw`GOCSPX-[\w-]{20,}`,
    '(?:sk|rk|pk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,}', // Stripe
    String.raw`sk-(?:ant-|proj-)?[\w-]{20,}`,
    'npm_[A-Za-z0-9]{30,}',
    String.raw`pypi-[\w-]{40,}`,
    String.raw`SG\.[\w-]{16,}\.[\w-]{16,}`, // SendGrid
    'dop_v1_[a-f0-9]{40,}', // DigitalOcean
    String.raw`hv[sbr]\.[\w-]{20,}`, // Vault
    'hf_[A-Za-z0-9]{30,}',
    'dapi[a-f0-9]{32}',
    'shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}',
    'AGE-SECRET-KEY-1[A-Z0-9]{50,}',
  ]
    .map((shape) => `(?:${shape})`)
    .join('|')
    .replace(/^/, '(?<![A-Za-z0-9_-])(?:')
    .replace(/$/, ')'),
  'g',
);

/** A name without what only separates its words, in lower case. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** Whether a field of this name holds a credential. `own` are further names, as plainName has them. */
export function isSecretName(name: string, own: ReadonlySet<string>): boolean {
  if (name.length > 200) return false;
  const plain = plainName(name);
  if (own.has(plain)) return true;
  if (HARMLESS.test(plain)) return false;
  if (WORDS.test(plain) || PARTS.test(plain)) return true;
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return words.some((word) => WORDS.test(word));
}

/** The texts' credentials by their shape, and those in between that a PEM block has. */
export function replaceShapes(text: string, mask: (secret: string) => string): string {
  // Not twice: a mask of a mask would not be the same as the secret's elsewhere.
  const schemeless = text.replace(SCHEMES, (_, before, secret) => before + mask(secret));
  const shapeless = schemeless
    .replace(SHAPES, mask)
    .replace(USERINFO, (_, before, secret) => before + mask(secret));
  return replacePem(shapeless, mask);
}

const USERINFO = /(:\/\/[^\s/?#@:"'<>]{0,200}:)([^\s/?#@"'<>]{1,500})(?=@)/g;
const SCHEMES = /(\b(?:bearer|basic)(?: |%20|\+))([\w\-.~+/=%]{8,})/gi;

const BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;

/** The lines between BEGIN and END; those of a block that has no end, to the end of the text. */
function replacePem(text: string, mask: (secret: string) => string): string {
  if (!text.includes('PRIVATE KEY')) return text;
  let out = '';
  let at = 0;
  BEGIN.lastIndex = 0;
  for (let found = BEGIN.exec(text); found; found = BEGIN.exec(text)) {
    const start = found.index + found[0].length;
    const end = text.indexOf('-----END', start);
    const inner = text.slice(start, end < 0 ? text.length : end);
    // Line ends, plain or escaped, stay: the length of the lines is no secret.
    const masked = inner.replace(/(?:\\[nr]|%0[AaDd]|\s)+|((?:(?!\\[nr]|%0[AaDd])\S)+)/g, (all, line) =>
      line ? mask(line) : all,
    );
    out += text.slice(at, start) + masked;
    at = start + inner.length;
    BEGIN.lastIndex = at;
  }
  return out + text.slice(at);
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const MARK = 'REDACTED';

/** Makes masks: of the same length as the secret, the same for the same secret, and of no use to find it by trying. */
export class Mask {
  readonly #key = randomBytes(32);

  /** @param length of the mask, where the secret was spelt in another way than here. */
  of(secret: string, length: number = secret.length): string {
    if (length === 0) return '';
    const isNumber = /^-?\d+(\.\d+)?$/.test(secret);
    const letters = isNumber ? '123456789' : LETTERS;
    let mask = '';
    for (let block = 0; mask.length < length; block++) {
      const digest = createHmac('sha256', this.#key).update(`${block}:${secret}`, 'latin1').digest();
      for (const byte of digest) mask += letters[byte % letters.length];
    }
    mask =
      !isNumber && length >= 2 * MARK.length
        ? MARK + mask.slice(0, length - MARK.length)
        : mask.slice(0, length);
    return mask;
  }
}
