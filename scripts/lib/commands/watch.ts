import type { Flags } from '../cli/flags.ts';
import { mittensCommand } from '../cli/to-run.ts';
import { targetId } from '../plan/target-id.ts';
import { endTap } from '../session/end-tap.ts';
import type { ActiveTap } from '../tap/active-tap.ts';
import { type Context, createContext, withoutSignal } from '../tap/context.ts';
import { needsReconciler, Reconciler } from '../tap/reconciler.ts';
import { openTap } from '../tap/resolve.ts';
import { UserError } from '../util/error.ts';
import { listenForUser } from './interrupts.ts';

/**
 * The command `watch`: puts the proxy into new pods of a tap without a restart, until the tap ends. Restores
 * the Service when that fails. An interrupt leaves the tap on.
 */
export async function watch(argument: string, flags: Flags<'watch'>): Promise<void> {
  const { signal } = listenForUser(mittensCommand('off', [argument]), flags);
  const { context, tap } = await openTap(createContext(flags, { signal }), argument);
  const name = targetId(tap.service);
  if (!needsReconciler(tap))
    throw new UserError(`the tap of ${name} needs no watcher: its new pods have the proxy`);
  context.log.say(`watching the pods of ${name}; Ctrl-C stops the watcher and leaves the tap on`);
  await reconcile(withoutSignal(context), tap, signal);
}

async function reconcile(context: Context, tap: ActiveTap, signal: AbortSignal): Promise<void> {
  const name = targetId(tap.service);
  const reconciler = new Reconciler(context, tap).start();
  await reconciler.untilOver(signal);
  await reconciler.stop();
  if (reconciler.failed.aborted) {
    const { reason } = reconciler.failed;
    context.log.say(`${reason instanceof Error ? reason.message : reason}; restoring ${name} ...`);
    await endTap(context, name, tap.record.id);
    throw reason;
  }
  if (signal.aborted) throw signal.reason;
  context.log.say(`${name} was restored`);
}
