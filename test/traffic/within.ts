import { setTimeout as sleep } from 'node:timers/promises';

/** @returns whether it happens within a time. */
export async function within(ms: number, happens: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(ms, false, { signal: timer.signal }).catch(() => false);
  const isInTime = await Promise.race([happens.then(() => true), late]);
  timer.abort();
  return isInTime;
}
