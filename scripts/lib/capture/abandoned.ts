import { setTimeout as sleep } from 'node:timers/promises';
import type { Kubectl } from '../kube/kubectl.ts';
import { isRunning, type Pod } from '../kube/objects.ts';
import type { ActiveTap } from '../tap/active-tap.ts';
import { listPods } from '../tap/read-target.ts';
import { FOLLOWERS } from './follow-pod.ts';

/** How long pods may take to roll until nobody can still be waiting for them, in ms. */
const STARTING_MS = 15 * 60_000;
/** A tap is on a moment before its followers are there; so they are looked for twice, in ms. */
const AGAIN_MS = 3000;
/** A follower that lives touches its entry several times within the minute that find counts by. */
const SCRIPT = `find ${FOLLOWERS} -type f -mmin -1 2>/dev/null; :`;

/**
 * Whether a capture's tap was left on by somebody who died: for a minute nobody has read the flows of any of its pods.
 * A session may be left on purpose, and is never abandoned.
 */
export async function isAbandoned({ kubectl, service, record }: ActiveTap): Promise<boolean> {
  if (record.program !== 'mitmdump') return false;
  if (record.phase === 'starting') return Date.now() - Date.parse(record.started) > STARTING_MS;
  // To go on with what another is giving back does no harm.
  if (record.phase === 'stopping') return true;
  for (let times = 0; times < 2; times++) {
    if (times > 0) await sleep(AGAIN_MS);
    const pods = await listPods(kubectl, service);
    const running = pods.filter((pod) => isRunning(pod, record.container));
    const followed = await Promise.all(running.map((pod) => isFollowed(kubectl, pod, record.container)));
    if (followed.includes(true)) return false;
  }
  return true;
}

async function isFollowed(kubectl: Kubectl, { metadata }: Pod, container: string): Promise<boolean> {
  const args = ['exec', `pod/${metadata.name}`, `--container=${container}`, '--', 'sh', '-c', SCRIPT];
  return (await kubectl.run(args)).trim() !== '';
}
