import { createHmac, randomBytes } from 'node:crypto';

/** What stands in place of a secret: as long as it, and the same for the same secret. */
export type Mask = (secret: string, isNumber?: boolean) => string;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const WORD = 'REDACTED';
/** Of the digest, as many characters as make a chance collision out of the question. */
const DIGEST_LENGTH = 16;

/**
 * Makes masks under a key, without which a short secret can't be found by trying all of them out. They are letters and
 * digits, which mean themselves in URLs, headers, JSON and XML. A long one begins with `REDACTED`, a shorter with `x`;
 * a number's has digits only, so that it stays one.
 * @param key as random as can be, and kept nowhere.
 */
export function createMask(key: Buffer = randomBytes(32)): Mask {
  return (secret, isNumber = false) => {
    const digest = createHmac('sha256', key).update(secret, 'latin1').digest();
    return isNumber ? digits(digest, secret.length) : word(digest, secret.length);
  };
}

function word(digest: Buffer, length: number): string {
  const prefix = length >= 2 * WORD.length ? WORD : 'x'.repeat(length >= WORD.length ? 4 : 1);
  const characters = Array.from(
    digest.subarray(0, DIGEST_LENGTH),
    (byte) => ALPHABET[byte % ALPHABET.length],
  );
  return (prefix + characters.join('').slice(0, Math.max(length - prefix.length, 0))).padEnd(length, 'x');
}

/** Without a zero in front, which JSON's numbers can't have. */
function digits(digest: Buffer, length: number): string {
  const [first = 0, ...rest] = digest;
  return `${1 + (first % 9)}${rest.map((byte) => byte % 10).join('')}`.slice(0, length).padEnd(length, '0');
}
