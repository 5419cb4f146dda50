import { connectionOf } from './cli.ts';
import { UserError } from './error.ts';
import { listenForInterrupts } from './interrupt.ts';
import { Kubectl } from './kubectl.ts';
import type { Service } from './kubernetes.ts';
import { benchOf, type OnFlags, show } from './on.ts';
import { recordOf } from './record.ts';
import { refuseSecond } from './refusal.ts';
import { locate } from './service.ts';

/** The command `attach`: shows a tap that is on; leaving it by anything but `q` leaves it on. */
export async function attach(argument: string, flags: OnFlags): Promise<void> {
  const { kubectl, name } = locate(new Kubectl(connectionOf(flags)), argument);
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new UserError('attach needs a terminal, and this is none');
  const bench = benchOf(kubectl, flags);
  const service = await kubectl.get<Service>([`service/${name}`]);
  const record = recordOf(service);
  if (!record) throw new UserError(`service/${name} is not tapped`, { hint: `tap it: on ${name}` });
  refuseSecond(service, record, 'mitmproxy');
  if (record.phase !== 'on') {
    throw new UserError(`service/${name} is ${record.phase}, by ${record.owner} since ${record.started}`);
  }
  bench.kubectl = kubectl.in(service.metadata.namespace);
  const interrupts = listenForInterrupts();
  await show(
    bench,
    { kubectl: bench.kubectl, service, record },
    { tmux: !flags['no-tmux'], interrupts, endsTap: false },
  );
}
