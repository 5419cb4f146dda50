import { untapAndKeep } from '../capture/untap-and-save.ts';
import { Forward } from '../kube/port-forward.ts';
import { argumentOf } from '../plan/preflight.ts';
import { isPod, subjectName } from '../plan/target-id.ts';
import type { Tapped } from '../tap/active-tap.ts';
import type { Workbench } from '../tap/context.ts';
import type { Watch } from '../tap/reconcile.ts';
import type { Interrupts } from '../util/interrupt.ts';
import { closeSession, detachKeys, type Ending, type ShownTap, view } from './session.ts';
import { viewOnWeb } from './web.ts';

export interface ShowOptions {
  tmux: boolean;
  interrupts: Interrupts;
  /** Whether SIGINT and SIGTERM end the tap, as they do for whoever began it. */
  endsTap: boolean;
  /** Who watches over a tap without a restart, when it is this process: then the tap ends with it. */
  watch: Watch | undefined;
}

/** Shows a tap until the user leaves it. `q` gives the Service back; leaving it otherwise leaves the tap on. */
export async function show(bench: Workbench, tapped: Tapped, options: ShowOptions): Promise<void> {
  const { watch, interrupts, endsTap } = options;
  const { signal } = interrupts;
  const ending = await viewAndWatch(bench, tapped, options).catch(async (error: unknown) => {
    // What can't be shown is not left on by whoever began it.
    await watch?.stop();
    if (endsTap) await giveBack(bench, tapped, error);
    throw error;
  });
  await watch?.stop();
  const failure: unknown = watch?.failed.aborted ? watch.failed.reason : undefined;
  if (ending === 'quit' || failure || (signal.aborted && endsTap)) await giveBack(bench, tapped, failure);
  else tellLeft(bench, tapped, ending);
  if (signal.aborted) throw signal.reason;
  if (failure) throw failure;
}

/** Shows a tap until the user leaves it, and if it is watched over here, goes on with that. */
async function viewAndWatch(bench: Workbench, tapped: Tapped, options: ShowOptions): Promise<Ending> {
  const { watch, interrupts } = options;
  const { signal } = interrupts;
  const forwards = await openForwards(bench, tapped);
  try {
    const localPorts = forwards.map(({ localPort }) => localPort);
    const ending = await viewUntilLeft(bench, { ...tapped, localPorts }, options);
    if (ending !== 'detached' || !watch || signal.aborted || watch.failed.aborted) return ending;
    const argument = argumentOf(tapped.service);
    bench.talk.say(`still watching over its pods; Ctrl-C gives it back; attach ${argument} shows it again`);
    await watch.untilOver(signal);
    return signal.aborted || watch.failed.aborted ? 'detached' : 'ended';
  } finally {
    for (const forward of forwards) forward.stop();
  }
}

async function viewUntilLeft(
  bench: Workbench,
  tapped: ShownTap,
  { tmux, interrupts, endsTap, watch }: ShowOptions,
): Promise<Ending> {
  const leave = new AbortController();
  // A tmux session outlives its terminal; without tmux there would be nothing to come back to.
  if ((tmux && !watch && tapped.record.program === 'mitmproxy') || !endsTap)
    interrupts.onHangup(() => leave.abort());
  const signal = AbortSignal.any([interrupts.signal, leave.signal, ...(watch ? [watch.failed] : [])]);
  const argument = argumentOf(tapped.service);
  if (tapped.record.program === 'mitmweb') {
    bench.talk.say(endsTap ? 'Ctrl-C gives it back' : `Ctrl-C leaves it on; off ${argument} gives it back`);
    return await viewOnWeb(tapped, signal);
  }
  const leaves = watch ? 'back to this terminal' : 'leaves it on';
  bench.talk.say(`q gives it back; ${detachKeys()} ${leaves}; attach ${argument} comes back`);
  return await view(tapped, { tmux, leaves, talk: bench.talk, signal });
}

/** A tapped pod is reached past its Services: by ports of this machine that lead to its proxy. */
async function openForwards(bench: Workbench, { kubectl, service, record }: Tapped): Promise<Forward[]> {
  const forwards: Forward[] = [];
  if (!isPod(service)) return forwards;
  for (const { port, listenPort } of record.ports) {
    const forward = new Forward(kubectl, service.metadata.name, listenPort);
    // A port below 1024 is not for everybody to open.
    const local = await forward.start(port > 1023 ? port : undefined);
    bench.talk.say(`127.0.0.1:${local} leads through the proxy to port ${port} of ${subjectName(service)}`);
    forwards.push(forward);
  }
  return forwards;
}

/** @param why what has gone wrong, if so. */
async function giveBack(bench: Workbench, tapped: Tapped, why?: unknown): Promise<void> {
  const { signal: _, ...patient } = bench;
  const name = subjectName(tapped.service);
  if (why) bench.talk.say(`${why instanceof Error ? why.message : why}; giving ${name} back ...`);
  await closeSession(tapped);
  await untapAndKeep(patient, name, tapped.record.id);
  bench.talk.say(`${name} is as it was`);
}

function tellLeft({ talk }: Workbench, { service }: Tapped, ending: Ending): void {
  const name = subjectName(service);
  const argument = argumentOf(service);
  if (ending === 'ended') talk.say(`${name} was given back by someone else`);
  else
    talk.say(`${name} stays tapped; come back with: attach ${argument}; give it back with: off ${argument}`);
}
