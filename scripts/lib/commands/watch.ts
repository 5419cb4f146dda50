import type { Flags } from '../cli/flags.ts';
import { connectionOf } from '../kube/kubectl.ts';
import { argumentOf } from '../plan/preflight.ts';
import { recordOf } from '../plan/record.ts';
import { subjectName } from '../plan/target-id.ts';
import { endTap } from '../session/end-tap.ts';
import type { Tapped } from '../tap/active-tap.ts';
import { benchOf, type Workbench } from '../tap/context.ts';
import { getSubject } from '../tap/read-target.ts';
import { needsWatch, Watch } from '../tap/reconcile.ts';
import { locate } from '../tap/resolve.ts';
import { UserError } from '../util/error.ts';
import { listenForInterrupts } from '../util/interrupt.ts';

/**
 * The command `watch`: watches over a tap without a restart, whoever began it, until that is over; gives the Service
 * back at once when a pod can't be served. To end it leaves the tap on.
 */
export async function watch(argument: string, flags: Flags<'watch'>): Promise<void> {
  const { signal } = listenForInterrupts();
  const { kubectl, name } = await locate(connectionOf(flags), argument, signal);
  const service = await getSubject(kubectl, name);
  const record = recordOf(service);
  if (!record) throw new UserError(`${name} is not tapped`, { hint: `tap it: on ${argumentOf(service)}` });
  const bench = benchOf(kubectl.in(service.metadata.namespace), flags);
  const tapped = { kubectl: bench.kubectl, service, record };
  if (!needsWatch(tapped))
    throw new UserError(`the tap of ${name} needs no watch: its pods come with the proxy`);
  bench.talk.say(`watching over the tap of ${name}; Ctrl-C leaves it unwatched`);
  await watchOver(bench, tapped, signal);
}

async function watchOver(bench: Workbench, tapped: Tapped, signal: AbortSignal): Promise<void> {
  const name = subjectName(tapped.service);
  const watch = new Watch(bench, tapped).start();
  await watch.untilOver(signal);
  await watch.stop();
  if (watch.failed.aborted) {
    const { reason } = watch.failed;
    bench.talk.say(`${reason instanceof Error ? reason.message : reason}; giving ${name} back ...`);
    await endTap(bench, name, tapped.record.id);
    throw reason;
  }
  if (signal.aborted) throw signal.reason;
  bench.talk.say(`${name} was given back`);
}
