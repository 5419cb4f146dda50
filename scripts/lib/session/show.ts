import { untapAndSaveFlows } from '../capture/untap-and-save.ts';
import { PortForward } from '../kube/port-forward.ts';
import { commandFor, isPod, targetId } from '../plan/target-id.ts';
import type { ActiveTap } from '../tap/active-tap.ts';
import { type Context, withoutSignal } from '../tap/context.ts';
import type { Reconciler } from '../tap/reconciler.ts';
import type { Interrupts } from '../util/interrupt.ts';
import { message } from '../util/message.ts';
import { closeSession, detachKeys, view } from './session.ts';
import type { Ending, ShownTap } from './shown-tap.ts';
import { viewOnWeb } from './web.ts';

export interface ShowOptions {
  tmux: boolean;
  interrupts: Interrupts;
  /** Whether SIGINT and SIGTERM end the tap: they do for the process that began it. */
  endsTap: boolean;
  /** The reconciler, if it runs in this process; the tap ends with it. */
  reconciler: Reconciler | undefined;
}

/** Shows a tap until the user leaves it. `q` restores the Service; other ways out leave the tap on. */
export async function show(context: Context, tap: ActiveTap, options: ShowOptions): Promise<void> {
  const { reconciler, interrupts, endsTap } = options;
  const { signal } = interrupts;
  const ending = await viewAndReconcile(context, tap, options).catch(async (error: unknown) => {
    // The process that began a tap does not leave it on when it can't show it.
    await reconciler?.stop();
    if (endsTap) await endAndReport(context, tap, error);
    throw error;
  });
  await reconciler?.stop();
  const failure: unknown = reconciler?.failed.aborted ? reconciler.failed.reason : undefined;
  if (ending === 'quit' || failure || (signal.aborted && endsTap)) await endAndReport(context, tap, failure);
  else printHowItWasLeft(context, tap, ending);
  if (signal.aborted) throw signal.reason;
  if (failure) throw failure;
}

/** Shows a tap until the user leaves it. When the reconciler runs here, waits for it after that. */
async function viewAndReconcile(context: Context, tap: ActiveTap, options: ShowOptions): Promise<Ending> {
  const { reconciler, interrupts } = options;
  const { signal } = interrupts;
  const forwards = await openForwards(context, tap);
  try {
    const localPorts = forwards.map(({ localPort }) => localPort);
    const ending = await viewUntilLeft(context, { ...tap, localPorts }, options);
    if (ending !== 'detached' || !reconciler || signal.aborted || reconciler.failed.aborted) return ending;
    context.log.say(
      message`still watching its pods; Ctrl-C restores it\nshow it again: ${commandFor('attach', tap.service)}`,
    );
    await reconciler.untilOver(signal);
    return signal.aborted || reconciler.failed.aborted ? 'detached' : 'ended';
  } finally {
    for (const forward of forwards) forward.stop();
  }
}

async function viewUntilLeft(
  context: Context,
  tap: ShownTap,
  { tmux, interrupts, endsTap, reconciler }: ShowOptions,
): Promise<Ending> {
  const leave = new AbortController();
  // A tmux session outlives its terminal. Without tmux there is nothing to come back to.
  if ((tmux && !reconciler && tap.record.program === 'mitmproxy') || !endsTap)
    interrupts.onHangup(() => leave.abort());
  const signal = AbortSignal.any([
    interrupts.signal,
    leave.signal,
    ...(reconciler ? [reconciler.failed] : []),
  ]);
  if (tap.record.program === 'mitmweb') {
    const off = commandFor('off', tap.service);
    context.log.say(endsTap ? 'Ctrl-C restores it' : message`Ctrl-C leaves it on; restore it: ${off}`);
    return await viewOnWeb(tap, signal);
  }
  const leaves = reconciler ? 'back to this terminal' : 'leaves it on';
  context.log.say(
    message`q restores it; ${detachKeys()} ${leaves}; return to it: ${commandFor('attach', tap.service)}`,
  );
  return await view(tap, { tmux, leaves, log: context.log, signal });
}

/** Opens local ports to the proxy of a pod that is tapped on its own: its Services do not lead there. */
async function openForwards(
  context: Context,
  { kubectl, service, record }: ActiveTap,
): Promise<PortForward[]> {
  const forwards: PortForward[] = [];
  if (!isPod(service)) return forwards;
  for (const { port, listenPort } of record.ports) {
    const forward = new PortForward(kubectl, service.metadata.name, listenPort);
    // Only root may open a port below 1024.
    const local = await forward.start(port > 1023 ? port : undefined);
    context.log.say(`127.0.0.1:${local} leads through the proxy to port ${port} of ${targetId(service)}`);
    forwards.push(forward);
  }
  return forwards;
}

/** @param why the error, if there was one. */
async function endAndReport(context: Context, tap: ActiveTap, why?: unknown): Promise<void> {
  const name = targetId(tap.service);
  if (why) context.log.say(`${why instanceof Error ? why.message : why}; restoring ${name} ...`);
  await closeSession(tap);
  await untapAndSaveFlows(withoutSignal(context), name, tap.record.id);
  context.log.say(`${name} is restored`);
}

function printHowItWasLeft({ log }: Context, { service }: ActiveTap, ending: Ending): void {
  const name = targetId(service);
  if (ending === 'ended') log.say(`${name} was restored by someone else`);
  else
    log.say(message`${name} stays tapped
return to it: ${commandFor('attach', service)}
restore it: ${commandFor('off', service)}`);
}
