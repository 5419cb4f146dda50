import { setTimeout as sleep } from 'node:timers/promises';
import type { Kubectl } from '../../scripts/lib/kube/kubectl.ts';
import { UserError } from '../../scripts/lib/util/error.ts';
import { CALLERS } from './shop.ts';

/** What the shop's callers have asked so far, by their names. */
export type Asked = Record<string, { sent: number; failed: string[] }>;

/** Reads it from the last lines of their logs. */
export async function readAsked(kubectl: Kubectl, signal: AbortSignal): Promise<Asked> {
  const asked = CALLERS.map(async (name) => {
    const line = await kubectl.run(['logs', `deployment/${name}`, '--tail=1'], { signal });
    return [name, line ? JSON.parse(line) : { sent: 0, failed: [] }];
  });
  return Object.fromEntries(await Promise.all(asked));
}

/** What the callers asked in between, and what of it got no answer of the shop's own. */
export function since(before: Asked, after: Asked): { sent: number; failed: string[] } {
  const callers = CALLERS.map((name) => [before[name], after[name]] as const);
  return {
    sent: callers.reduce((sum, [was, is]) => sum + (is?.sent ?? 0) - (was?.sent ?? 0), 0),
    failed: callers.flatMap(([was, is]) => is?.failed.slice(was?.failed.length) ?? []),
  };
}

/**
 * Waits until for a while every question is answered. That pods are ready is not enough: the nodes follow a Service's
 * endpoints a little later, and refuse connections until then.
 */
export async function untilAnswered(kubectl: Kubectl, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (let before = await readAsked(kubectl, signal); ; ) {
    await sleep(WHILE_MS);
    signal.throwIfAborted();
    const after = await readAsked(kubectl, signal);
    const { sent, failed } = since(before, after);
    if (sent > 0 && failed.length === 0) return;
    if (Date.now() > deadline)
      throw new UserError(`the shop does not serve: ${failed.at(-1) ?? 'no caller'}`);
    before = after;
  }
}

/** Longer than a turn of any caller, and than their logs lag behind. */
const WHILE_MS = 3000;
