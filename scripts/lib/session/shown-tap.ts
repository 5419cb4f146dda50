import { setTimeout as sleep } from 'node:timers/promises';
import { mittensCommand } from '../cli/to-run.ts';
import { hasContainerNamed, isAlive, isRunning, type Pod } from '../kube/objects.ts';
import { commandFor, targetId } from '../plan/target-id.ts';
import { type ActiveTap, readPhase } from '../tap/active-tap.ts';
import { listPods } from '../tap/read-target.ts';
import { UserError } from '../util/error.ts';
import type { Log } from '../util/log.ts';
import { message } from '../util/message.ts';

/** How often a session is looked at, in ms. */
export const POLL_MS = 250;

/** How a session ended: the user pressed `q`, or left the tap on, or somebody else ended the tap. */
export type Ending = 'quit' | 'detached' | 'ended';

/** A tap and how it is reached from this machine. */
export interface ShownTap extends ActiveTap {
  /** The local ports that lead to the proxy of a pod that is tapped on its own. */
  localPorts?: number[];
}

/** The pods with the proxy of a tap; undefined when the tap is over. */
export async function listPodsWithProxy(tap: ActiveTap): Promise<Pod[] | undefined> {
  const [phase, pods] = await Promise.all([readPhase(tap), listPods(tap.kubectl, tap.service)]);
  return phase && pods.filter((pod) => hasContainerNamed(pod, tap.record.container));
}

/**
 * The pods that run the proxy. When the Service has no pods at all, waits for the first.
 * @returns undefined when the tap is over; none when the signal came first.
 * @throws UserError when there are pods, but none with a proxy.
 */
export async function waitForFirstPods(
  tap: ActiveTap,
  log: Log,
  signal: AbortSignal,
): Promise<Pod[] | undefined> {
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

export function attachArgs({ record }: ActiveTap, pod: Pod): string[] {
  return ['attach', '-it', `pod/${pod.metadata.name}`, `--container=${record.container}`];
}
