import { fileURLToPath } from 'node:url';
import { argumentOf } from '../plan/preflight.ts';
import { subjectName } from '../plan/target-id.ts';
import type { Tapped } from '../tap/active-tap.ts';
import type { ContextFlags, Workbench } from '../tap/context.ts';
import { UserError } from '../util/error.ts';
import { watcherName } from './session.ts';
import { hasTmux, newSession } from './tmux.ts';

const COMMAND = fileURLToPath(new URL('../../watch.ts', import.meta.url));

/**
 * Leaves a watcher of a tap in a tmux session of its own, which ends with the tap.
 * @throws UserError when there is no tmux.
 */
export async function keepWatch(bench: Workbench, tapped: Tapped, flags: ContextFlags): Promise<void> {
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
