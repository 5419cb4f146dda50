import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';

/** How long a test waits for what it needs, in seconds: a machine may be busy. */
const PATIENCE_SECONDS = 120;
const PAUSE_MS = 200;

/**
 * Checks again and again until there is a result.
 * @param what what is waited for, for the error.
 * @returns what the check found.
 */
export async function until<T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
  seconds = PATIENCE_SECONDS,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const result = await check();
    if (result !== undefined && result !== false) return result;
    assert.ok(Date.now() < deadline, `not in ${seconds} s: ${what}`);
    await setTimeout(PAUSE_MS);
  }
}
