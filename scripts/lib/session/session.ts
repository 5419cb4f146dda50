import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { mittensCommand } from '../cli/to-run.ts';
import { hasContainerNamed, isAlive, isRunning, type Pod } from '../kube/objects.ts';
import { titles } from '../plan/pod-contract.ts';
import { commandFor, formatArgument, targetId } from '../plan/target-id.ts';
import { type ActiveTap, readPhase } from '../tap/active-tap.ts';
import { listPods } from '../tap/read-target.ts';
import { UserError } from '../util/error.ts';
import type { Log } from '../util/log.ts';
import { message } from '../util/message.ts';
import { formatAge } from '../util/units.ts';
import {
  attachSession,
  hasSession,
  hasTmux,
  isNested,
  killSession,
  killWindow,
  listPanes,
  newSession,
  newWindow,
  respawn,
  setKeys,
  setLabel,
} from './tmux.ts';

/** How a session ended: the user pressed `q`, or left the tap on, or somebody else ended the tap. */
export type Ending = 'quit' | 'detached' | 'ended';

const POLL_MS = 250;
/** How often the pods and the record are read, in ms. */
const REFRESH_MS = 2000;

/** The name of the local tmux session of a tap. */
function sessionName({ service, record }: ActiveTap): string {
  // These characters have a meaning in tmux, and the names of pods may have dots.
  return `${service.metadata.namespace}/${service.metadata.name}-${record.id}`.replace(/[.:]/g, '_');
}

/** The name of the local tmux session in which the watcher of a tap runs. */
export function watcherName(tap: ActiveTap): string {
  return `${sessionName(tap)}-watch`;
}

/** The left part of the status line. */
function formatLabel({ service, record, localPorts = [] }: ShownTap): string {
  const { namespace } = service.metadata;
  const how = record.mode === 'ephemeral' ? 'no restart' : record.mode;
  const reached = localPorts.map((port) => `, by 127.0.0.1:${port}`).join('');
  return `${namespace}/${formatArgument(service)}${reached}, ${how}, ${formatAge(Date.now() - Date.parse(record.started))}`;
}

/** A tap and how it is reached from this machine. */
export interface ShownTap extends ActiveTap {
  /** The local ports that lead to the proxy of a pod that is tapped on its own. */
  localPorts?: number[];
}

export interface ViewOptions {
  tmux: boolean;
  /** What detaching does, for the status line. */
  leaves: string;
  log: Log;
  /** Detaches. */
  signal: AbortSignal;
}

/**
 * Shows mitmproxy's TUI until the user leaves it: in a tmux session with one window per pod, or without tmux, that of
 * one pod on this terminal.
 */
export async function view(tap: ShownTap, { tmux, leaves, log, signal }: ViewOptions): Promise<Ending> {
  const pods = await waitForFirstPods(tap, log, signal);
  if (!pods) return 'ended';
  const [first] = pods;
  if (!first) return 'detached';
  if (tmux && (await hasTmux())) return await viewInTmux(tap, pods, first, { leaves, signal });
  return await viewDirectly(tap, signal);
}

/** Closes the local tmux sessions of a tap, if there are any. */
export async function closeSession(tap: ActiveTap): Promise<void> {
  if (!(await hasTmux())) return;
  await killSession(sessionName(tap));
  await killSession(watcherName(tap));
}

// -- with tmux

async function viewInTmux(
  tap: ShownTap,
  pods: Pod[],
  first: Pod,
  { leaves, signal }: Pick<ViewOptions, 'leaves' | 'signal'>,
): Promise<Ending> {
  const session = sessionName(tap);
  if (!(await hasSession(session))) await openSession(tap, first);
  await setKeys(session, `q: give it back   C-b d: ${leaves}`);
  await syncWindows(tap, pods);
  const client = attachSession(session);
  const ending = await watchSession(tap, client, signal);
  if (ending !== 'detached') await killSession(session);
  await end(client);
  return ending;
}

/** Ends the tmux client, and gives it time to restore the terminal. */
async function end(client: ChildProcess): Promise<void> {
  if (client.exitCode !== null || client.signalCode !== null) return;
  const exited = new Promise((resolve) => client.once('exit', resolve));
  client.kill();
  await Promise.race([exited, sleep(1000)]);
}

async function openSession(tap: ShownTap, first: Pod): Promise<void> {
  await newSession(sessionName(tap), first.metadata.name, attachCommand(tap, first), formatLabel(tap));
}

/**
 * The pods that run the proxy. When the Service has no pods at all, waits for the first.
 * @returns undefined when the tap is over; none when the signal came first.
 * @throws UserError when there are pods, but none with a proxy.
 */
async function waitForFirstPods(tap: ActiveTap, log: Log, signal: AbortSignal): Promise<Pod[] | undefined> {
  const name = targetId(tap.service);
  for (; !signal.aborted; await sleep(POLL_MS)) {
    const pods = await listPodsWithProxy(tap);
    if (!pods) return undefined;
    const running = pods.filter((pod) => isRunning(pod, tap.record.container));
    if (running.length > 0) return running;
    const others = (await listPods(tap.kubectl, tap.service)).filter(isAlive);
    if (others.length > 0 && pods.length === 0) {
      throw new UserError(`no pod of ${name} has the proxy`, {
        hint: message`see its state: ${mittensCommand('list', [], { namespace: tap.service.metadata.namespace })}\nor restore it: ${commandFor('off', tap.service)}`,
      });
    }
    log.progress(`${name} has no running pod; waiting for one`);
  }
  return [];
}

async function watchSession(tap: ShownTap, client: ChildProcess, signal: AbortSignal): Promise<Ending> {
  const session = sessionName(tap);
  let left = false;
  client.once('exit', () => {
    left = true;
  });
  for (let refreshed = Date.now(); ; await sleep(POLL_MS)) {
    const panes = await listPanes(session);
    if (panes?.some(({ title }) => title === titles.quit)) return 'quit';
    if (signal.aborted) return 'detached';
    // `off` on this machine closes the session, too.
    if (left || !panes) return (await listPodsWithProxy(tap).catch(() => [])) ? 'detached' : 'ended';
    if (Date.now() - refreshed < REFRESH_MS && !panes.some(({ dead }) => dead)) continue;
    // The API server may be away for a while.
    const pods = await listPodsWithProxy(tap).catch(() => []);
    if (!pods) return 'ended';
    await syncWindows(tap, pods);
    refreshed = Date.now();
  }
}

/** Opens a window for each pod with a running proxy, reconnects lost ones, and closes those of pods that are gone. */
async function syncWindows(tap: ShownTap, pods: Pod[]): Promise<void> {
  const session = sessionName(tap);
  await setLabel(session, formatLabel(tap));
  const panes = (await listPanes(session)) ?? [];
  const running = pods.filter((pod) => isRunning(pod, tap.record.container));
  for (const pod of running) {
    const pane = panes.find(({ name }) => name === pod.metadata.name);
    if (!pane) await newWindow(session, pod.metadata.name, attachCommand(tap, pod));
    else if (pane.dead) await respawn(pane.window, attachCommand(tap, pod));
  }
  if (running.length === 0) return;
  for (const pane of panes) {
    if (!running.some(({ metadata }) => metadata.name === pane.name)) await killWindow(pane.window);
  }
}

// -- without tmux

async function viewDirectly(tap: ActiveTap, signal: AbortSignal): Promise<Ending> {
  for (;;) {
    const pods = await listPodsWithProxy(tap).catch(() => []);
    if (!pods) return 'ended';
    const pod = pods.find((pod) => isRunning(pod, tap.record.container));
    if (pod && (await viewPod(tap, pod, signal))) return 'quit';
    if (signal.aborted) return 'detached';
    await sleep(POLL_MS);
  }
}

/** Attaches to one pod until the user quits (true) or the connection is lost (false). */
async function viewPod(tap: ActiveTap, pod: Pod, signal: AbortSignal): Promise<boolean> {
  const [, ...attach] = attachArgs(tap, pod);
  const client = tap.kubectl.onTerminal(['attach', ...attach]);
  const logs = tap.kubectl.stream(['logs', '--follow', '--tail=0', ...attach.slice(1)]);
  let quit = false;
  let tail = '';
  logs.stdout?.on('data', (data: Buffer) => {
    tail = (tail + data.toString('latin1')).slice(-10_000);
    if (!tail.includes(titles.quit)) return;
    quit = true;
    client.kill();
  });
  const stop = () => client.kill();
  signal.addEventListener('abort', stop);
  await new Promise((resolve) => client.once('exit', resolve));
  signal.removeEventListener('abort', stop);
  logs.kill();
  process.stdout.write(LEAVE_TUI);
  return quit;
}

// A TUI that was cut off leaves the alternate screen, mouse reports and a hidden cursor.
const LEAVE_TUI = '\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1006l\x1b[?25h\x1b[0m\r\n';

// -- pods

/** The pods with the proxy of a tap; undefined when the tap is over. */
export async function listPodsWithProxy(tap: ActiveTap): Promise<Pod[] | undefined> {
  const [phase, pods] = await Promise.all([readPhase(tap), listPods(tap.kubectl, tap.service)]);
  return phase && pods.filter((pod) => hasContainerNamed(pod, tap.record.container));
}

function attachCommand(tap: ActiveTap, pod: Pod): string[] {
  return tap.kubectl.argv(attachArgs(tap, pod));
}

function attachArgs({ record }: ActiveTap, pod: Pod): string[] {
  return ['attach', '-it', `pod/${pod.metadata.name}`, `--container=${record.container}`];
}

/** The keys that detach from a session. */
export function detachKeys(): string {
  return isNested() ? 'C-b C-b d' : 'C-b d';
}
