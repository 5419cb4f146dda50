import type { Flags } from '../cli/flags.ts';
import { connectionOf } from '../kube/kubectl.ts';
import { argumentOf, refuseSecond } from '../plan/preflight.ts';
import { recordOf } from '../plan/record.ts';
import { show } from '../session/show.ts';
import { benchOf } from '../tap/context.ts';
import { getSubject } from '../tap/read-target.ts';
import { locate } from '../tap/resolve.ts';
import { UserError } from '../util/error.ts';
import { listenForInterrupts } from '../util/interrupt.ts';

/** The command `attach`: shows a tap that is on; leaving it by anything but `q` leaves it on. */
export async function attach(argument: string, flags: Flags<'attach'>): Promise<void> {
  const interrupts = listenForInterrupts();
  const { kubectl, name } = await locate(connectionOf(flags), argument, interrupts.signal);
  const service = await getSubject(kubectl, name);
  const record = recordOf(service);
  if (!record) throw new UserError(`${name} is not tapped`, { hint: `tap it: on ${argumentOf(service)}` });
  refuseSecond(service, record, record.program === 'mitmweb' ? 'mitmweb' : 'mitmproxy');
  if (record.phase !== 'on') {
    throw new UserError(`${name} is ${record.phase}, by ${record.owner} since ${record.started}`);
  }
  if (record.program === 'mitmproxy' && !(process.stdin.isTTY && process.stdout.isTTY))
    throw new UserError('attach needs a terminal, and this is none');
  const bench = benchOf(kubectl.in(service.metadata.namespace), flags);
  const tapped = { kubectl: bench.kubectl, service, record };
  await show(bench, tapped, { tmux: !flags['no-tmux'], interrupts, endsTap: false, watch: undefined });
}
