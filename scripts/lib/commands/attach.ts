import type { Flags } from '../cli/flags.ts';
import { toConnection } from '../kube/kubectl.ts';
import { formatArgument, refuseSecond } from '../plan/preflight.ts';
import { parseRecord } from '../plan/record.ts';
import { show } from '../session/show.ts';
import { createContext } from '../tap/context.ts';
import { readTarget } from '../tap/read-target.ts';
import { resolve } from '../tap/resolve.ts';
import { UserError } from '../util/error.ts';
import { listenForInterrupts } from '../util/interrupt.ts';

/** The command `attach`: shows a tap that is on; leaving it by anything but `q` leaves it on. */
export async function attach(argument: string, flags: Flags<'attach'>): Promise<void> {
  const interrupts = listenForInterrupts();
  const { kubectl, name } = await resolve(toConnection(flags), argument, interrupts.signal);
  const service = await readTarget(kubectl, name);
  const record = parseRecord(service);
  if (!record)
    throw new UserError(`${name} is not tapped`, { hint: `tap it: on ${formatArgument(service)}` });
  refuseSecond(service, record, record.program === 'mitmweb' ? 'mitmweb' : 'mitmproxy');
  if (record.phase !== 'on') {
    throw new UserError(`${name} is ${record.phase}, by ${record.owner} since ${record.started}`);
  }
  if (record.program === 'mitmproxy' && !(process.stdin.isTTY && process.stdout.isTTY))
    throw new UserError('attach needs a terminal, and this is none');
  const context = createContext(kubectl.in(service.metadata.namespace), flags);
  const tap = { kubectl: context.kubectl, service, record };
  await show(context, tap, { tmux: !flags['no-tmux'], interrupts, endsTap: false, reconciler: undefined });
}
