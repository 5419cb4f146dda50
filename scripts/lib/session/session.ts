import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, type Pod } from '../kube/objects.ts';
import { titles } from '../plan/pod-contract.ts';
import { formatArgument } from '../plan/target-id.ts';
import type { ActiveTap } from '../tap/active-tap.ts';
import type { Log } from '../util/log.ts';
import { formatAge } from '../util/units.ts';
import {
  attachArgs,
  type Ending,
  listPodsWithProxy,
  POLL_MS,
  type ShownTap,
  waitForFirstPods,
} from './shown-tap.ts';
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
import { viewDirectly } from './view-directly.ts';

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

async function viewInTmux(
  tap: ShownTap,
  pods: Pod[],
  first: Pod,
  { leaves, signal }: Pick<ViewOptions, 'leaves' | 'signal'>,
): Promise<Ending> {
  const session = sessionName(tap);
  if (!(await hasSession(session))) await openSession(tap, first);
  await setKeys(session, `q: restore it   C-b d: ${leaves}`);
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

function attachCommand(tap: ActiveTap, pod: Pod): string[] {
  return tap.kubectl.argv(attachArgs(tap, pod));
}

/** The keys that detach from a session. */
export function detachKeys(): string {
  return isNested() ? 'C-b C-b d' : 'C-b d';
}
