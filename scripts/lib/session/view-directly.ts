import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, type Pod } from '../kube/objects.ts';
import { titles } from '../plan/pod-contract.ts';
import type { ActiveTap } from '../tap/active-tap.ts';
import { attachArgs, type Ending, listPodsWithProxy, POLL_MS } from './shown-tap.ts';

/** Shows the TUI of one pod on this terminal until the user leaves it. */
export async function viewDirectly(tap: ActiveTap, signal: AbortSignal): Promise<Ending> {
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
