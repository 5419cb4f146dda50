import type { Flags } from '../cli/flags.ts';
import { toConnection } from '../kube/kubectl.ts';
import { formatArgument } from '../plan/preflight.ts';
import { parseRecord } from '../plan/record.ts';
import { targetId } from '../plan/target-id.ts';
import { endTap } from '../session/end-tap.ts';
import type { ActiveTap } from '../tap/active-tap.ts';
import { type Context, createContext } from '../tap/context.ts';
import { readTarget } from '../tap/read-target.ts';
import { needsReconciler, Reconciler } from '../tap/reconciler.ts';
import { resolve } from '../tap/resolve.ts';
import { UserError } from '../util/error.ts';
import { listenForInterrupts } from '../util/interrupt.ts';

/**
 * The command `watch`: watches over a tap without a restart, whoever began it, until that is over; gives the Service
 * back at once when a pod can't be served. To end it leaves the tap on.
 */
export async function watch(argument: string, flags: Flags<'watch'>): Promise<void> {
  const { signal } = listenForInterrupts();
  const { kubectl, name } = await resolve(toConnection(flags), argument, signal);
  const service = await readTarget(kubectl, name);
  const record = parseRecord(service);
  if (!record)
    throw new UserError(`${name} is not tapped`, { hint: `tap it: on ${formatArgument(service)}` });
  const context = createContext(kubectl.in(service.metadata.namespace), flags);
  const tap = { kubectl: context.kubectl, service, record };
  if (!needsReconciler(tap))
    throw new UserError(`the tap of ${name} needs no watch: its pods come with the proxy`);
  context.log.say(`watching over the tap of ${name}; Ctrl-C leaves it unwatched`);
  await watchOver(context, tap, signal);
}

async function watchOver(context: Context, tap: ActiveTap, signal: AbortSignal): Promise<void> {
  const name = targetId(tap.service);
  const watch = new Reconciler(context, tap).start();
  await watch.untilOver(signal);
  await watch.stop();
  if (watch.failed.aborted) {
    const { reason } = watch.failed;
    context.log.say(`${reason instanceof Error ? reason.message : reason}; giving ${name} back ...`);
    await endTap(context, name, tap.record.id);
    throw reason;
  }
  if (signal.aborted) throw signal.reason;
  context.log.say(`${name} was given back`);
}
