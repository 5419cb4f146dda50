import { fileURLToPath } from 'node:url';
import { formatArgument, targetId } from '../plan/target-id.ts';
import type { ActiveTap } from '../tap/active-tap.ts';
import type { Context, ContextFlags } from '../tap/context.ts';
import { UserError } from '../util/error.ts';
import { watcherName } from './session.ts';
import { hasTmux, newSession } from './tmux.ts';

const COMMAND = fileURLToPath(new URL('../../watch.ts', import.meta.url));

/**
 * Starts a watcher of a tap in its own tmux session. It ends with the tap.
 * @throws UserError when there is no tmux.
 */
export async function startWatcher(context: Context, tap: ActiveTap, flags: ContextFlags): Promise<void> {
  if (!(await hasTmux()))
    throw new UserError('--watch-detached keeps its watcher in tmux, and that is not on the PATH');
  const { connection } = context.kubectl;
  const { namespace } = tap.service.metadata;
  const all = { ...connection, namespace, templates: flags.templates, timeout: flags.timeout };
  const more = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}=${value}`],
  );
  const command = [process.execPath, ...process.execArgv, COMMAND, formatArgument(tap.service), ...more];
  await newSession(watcherName(tap), 'watch', command, `watching ${targetId(tap.service)}`);
  context.log.say(
    `a watcher in tmux serves the pods that come: tmux -L mittens attach -t '=${watcherName(tap)}'`,
  );
}
