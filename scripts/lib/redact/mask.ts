import { createHmac, randomBytes } from 'node:crypto';

/** Replaces a secret by a text of the same length. Equal secrets have equal masks. */
export type Mask = (secret: string, isNumber?: boolean) => string;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const WORD = 'REDACTED';
/** The characters taken from the digest; enough to make collisions practically impossible. */
const DIGEST_LENGTH = 16;

/**
 * Makes masks that depend on a key: without it, nobody can find a short secret by trying. Masks are letters and digits,
 * which need no escapes in URLs, headers, JSON and XML. A long mask starts with `REDACTED`, a short one with `x`. The mask
 * of a number has only digits.
 * @param key random, and never stored.
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

/** Numbers in JSON have no leading zero. */
function digits(digest: Buffer, length: number): string {
  const [first = 0, ...rest] = digest;
  return `${1 + (first % 9)}${rest.map((byte) => byte % 10).join('')}`.slice(0, length).padEnd(length, '0');
}
