import type { Flags } from '../cli/flags.ts';
import { refuseOtherProgram } from '../plan/preflight.ts';
import { targetId } from '../plan/target-id.ts';
import { show } from '../session/show.ts';
import { createContext } from '../tap/context.ts';
import { openTap } from '../tap/resolve.ts';
import { UserError } from '../util/error.ts';
import { listenForInterrupts } from '../util/interrupt.ts';

/** The command `attach`: shows a tap that is on. `q` ends the tap; any other way out leaves it on. */
export async function attach(argument: string, flags: Flags<'attach'>): Promise<void> {
  const interrupts = listenForInterrupts();
  const { context, tap } = await openTap(createContext(flags, { signal: interrupts.signal }), argument);
  const { service, record } = tap;
  refuseOtherProgram(service, record, record.program === 'mitmweb' ? 'mitmweb' : 'mitmproxy');
  if (record.phase !== 'on') {
    const since = `by ${record.owner} since ${record.started}`;
    throw new UserError(`${targetId(service)} is ${record.phase}, ${since}`);
  }
  if (record.program === 'mitmproxy' && !(process.stdin.isTTY && process.stdout.isTTY))
    throw new UserError('attach needs a terminal, and this is none');
  await show(context, tap, { tmux: !flags['no-tmux'], interrupts, endsTap: false, reconciler: undefined });
}
