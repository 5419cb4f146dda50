import { UsageError } from '../util/error.ts';
import { PRIVATE_USE, type RegexOptions, Translation } from './python-translation.ts';

/** A regular expression of Python. */
export interface PythonRegex {
  /** @param text for a pattern of bytes, bytes in Latin-1. */
  test(text: string): boolean;
}

/**
 * Translates a regular expression of Python, https://docs.python.org/3/library/re.html, to one of JavaScript.
 * @throws UsageError for an invalid expression, and for a feature that JavaScript does not have.
 */
export function pythonRegex(source: string, options: RegexOptions = {}): PythonRegex {
  const text = options.bytes ? Buffer.from(source).toString('latin1') : source;
  try {
    const { pattern, ignoreCase, isShifted } = new Translation(text, options).run();
    const regex = new RegExp(pattern, `u${ignoreCase ? 'i' : ''}`);
    return isShifted ? { test: (text) => regex.test(text.replace(HIGH_BYTES, shift)) } : regex;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const [, reason = error.message] = /: ([^:]*)$/.exec(error.message) ?? [];
    throw new UsageError(`"${source}" is not a valid regular expression: ${reason}`);
  }
}

/** No more at once than a call may have arguments. */
const HIGH_BYTES = /[\x80-\xff]{1,1000}/g;

function shift(bytes: string): string {
  return String.fromCharCode(...Array.from(bytes, (byte) => PRIVATE_USE + byte.charCodeAt(0)));
}
