import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { isRunning, type Pod } from '../kube/objects.ts';
import { PortForward } from '../kube/port-forward.ts';
import type { ActiveTap } from '../tap/active-tap.ts';
import { type Ending, listPodsWithProxy } from './shown-tap.ts';

/** How often the pods are read, in ms. */
const REFRESH_MS = 2000;

/**
 * Opens a local port to mitmproxy's web interface in each pod, and prints the addresses on stdout. Opens the first in
 * the browser. Ends with the signal or the tap.
 */
export async function viewOnWeb(tap: ActiveTap, signal: AbortSignal): Promise<Ending> {
  const forwards = new Map<string, PortForward>();
  try {
    while (!signal.aborted) {
      const pods = await listPodsWithProxy(tap).catch(() => []);
      if (!pods) return 'ended';
      for (const pod of pods.filter((pod) => isRunning(pod, tap.record.container))) {
        const { uid = '' } = pod.metadata;
        if (!forwards.has(uid)) forwards.set(uid, await open(tap, pod, forwards.size === 0));
      }
      drop(forwards, pods);
      await wait(REFRESH_MS, undefined, { signal }).catch(() => undefined);
    }
    return 'detached';
  } finally {
    drop(forwards, []);
  }
}

async function open(
  { kubectl, record }: ActiveTap,
  { metadata }: Pod,
  isFirst: boolean,
): Promise<PortForward> {
  const { port = 0, token = '' } = record.web ?? {};
  const forward = new PortForward(kubectl, metadata.name, port);
  const address = `http://127.0.0.1:${await forward.start()}/?token=${token}`;
  process.stdout.write(`pod/${metadata.name}: ${address}\n`);
  if (isFirst) openBrowser(address);
  return forward;
}

/** Closes the ports to pods that are gone. */
function drop(forwards: Map<string, PortForward>, pods: Pod[]): void {
  for (const [uid, forward] of forwards) {
    if (pods.some(({ metadata }) => metadata.uid === uid)) continue;
    forward.stop();
    forwards.delete(uid);
  }
}

/** Opens the user's browser: $BROWSER, or the default of the desktop. */
function openBrowser(address: string): void {
  const { BROWSER, DISPLAY, WAYLAND_DISPLAY } = process.env;
  const desktop =
    process.platform === 'darwin' ? 'open' : DISPLAY || WAYLAND_DISPLAY ? 'xdg-open' : undefined;
  const program = BROWSER || desktop;
  if (!program) return;
  const child = spawn(program, [address], { stdio: 'ignore', detached: true });
  // Without a browser, the printed address is enough.
  child.on('error', () => undefined);
  child.unref();
}
