import { fileURLToPath } from 'node:url';
import { untapAndKeep } from '../capture/untap-and-save.ts';
import type { Flags } from '../cli/flags.ts';
import { connectionOf } from '../kube/kubectl.ts';
import { argumentOf } from '../plan/preflight.ts';
import { recordOf } from '../plan/record.ts';
import { getSubject, subjectName } from '../plan/target-id.ts';
import { benchOf, type Workbench } from '../tap/context.ts';
import { needsWatch, Watch } from '../tap/reconcile.ts';
import { locate } from '../tap/resolve.ts';
import { UserError } from '../util/error.ts';
import { listenForInterrupts } from '../util/interrupt.ts';
import { type Tapped, watcherName } from './session.ts';
import { hasTmux, newSession } from './tmux.ts';

const COMMAND = fileURLToPath(new URL('../../watch.ts', import.meta.url));

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
    await untapAndKeep(bench, name, tapped.record.id);
    throw reason;
  }
  if (signal.aborted) throw signal.reason;
  bench.talk.say(`${name} was given back`);
}

/**
 * Leaves a watcher of a tap in a tmux session of its own, which ends with the tap.
 * @throws UserError when there is no tmux.
 */
export async function keepWatch(bench: Workbench, tapped: Tapped, flags: Flags<'watch'>): Promise<void> {
  if (!(await hasTmux()))
    throw new UserError('--watch-detached keeps its watcher in tmux, and that is not on the PATH');
  const { context, kubeconfig, as } = bench.kubectl.connection;
  const { namespace } = tapped.service.metadata;
  const all = { namespace, context, kubeconfig, as, templates: flags.templates, timeout: flags.timeout };
  const more = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}=${value}`],
  );
  const command = [process.execPath, ...process.execArgv, COMMAND, argumentOf(tapped.service), ...more];
  await newSession(watcherName(tapped), 'watch', command, `watching ${subjectName(tapped.service)}`);
  bench.talk.say(
    `a watcher in tmux serves the pods that come: tmux -L mittens attach -t '=${watcherName(tapped)}'`,
  );
}
