import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { isRunning, type Pod } from '../kube/objects.ts';
import { PortForward } from '../kube/port-forward.ts';
import type { ActiveTap } from '../tap/active-tap.ts';
import { type Ending, listPodsWithProxy } from './session.ts';

/** How often the pods are read, in ms. */
const REFRESH_MS = 2000;

/**
 * Shows mitmproxy's web interface of every pod, each on a local port of its own, and prints their addresses on stdout;
 * the first is opened in the browser. It has no end of its own.
 * @param signal leaves it.
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

/** Ends what leads to pods that are gone. */
function drop(forwards: Map<string, PortForward>, pods: Pod[]): void {
  for (const [uid, forward] of forwards) {
    if (pods.some(({ metadata }) => metadata.uid === uid)) continue;
    forward.stop();
    forwards.delete(uid);
  }
}

/** Opens the user's browser, where there is one: $BROWSER, or what the desktop has. */
function openBrowser(address: string): void {
  const { BROWSER, DISPLAY, WAYLAND_DISPLAY } = process.env;
  const desktop =
    process.platform === 'darwin' ? 'open' : DISPLAY || WAYLAND_DISPLAY ? 'xdg-open' : undefined;
  const program = BROWSER || desktop;
  if (!program) return;
  const child = spawn(program, [address], { stdio: 'ignore', detached: true });
  // The address is printed for whoever has none.
  child.on('error', () => undefined);
  child.unref();
}
