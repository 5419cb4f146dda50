import type { Flags } from '../cli/flags.ts';
import { mittensCommand } from '../cli/to-run.ts';
import { refuseOtherProgram, refusePhase } from '../plan/preflight.ts';
import { show } from '../session/show.ts';
import { createContext } from '../tap/context.ts';
import { openTap } from '../tap/resolve.ts';
import { UserError } from '../util/error.ts';
import { listenForUser } from './interrupts.ts';

/** The command `attach`: shows a tap that is on. `q` ends the tap; any other way out leaves it on. */
export async function attach(argument: string, flags: Flags<'attach'>): Promise<void> {
  const interrupts = listenForUser(mittensCommand('off', [argument]), flags);
  const { context, tap } = await openTap(createContext(flags, { signal: interrupts.signal }), argument);
  const { service, record } = tap;
  refuseOtherProgram(service, record, record.program === 'mitmweb' ? 'mitmweb' : 'mitmproxy');
  refusePhase(service, record);
  if (record.program === 'mitmproxy' && !(process.stdin.isTTY && process.stdout.isTTY))
    throw new UserError('attach needs a terminal');
  await show(context, tap, { tmux: !flags['no-tmux'], interrupts, endsTap: false, reconciler: undefined });
}
