import { setTimeout as sleep } from 'node:timers/promises';
import type { Kubectl } from '../kube/kubectl.ts';
import { isRunning, type Pod } from '../kube/objects.ts';
import { paths } from '../plan/pod-contract.ts';
import { isCapture } from '../plan/record.ts';
import type { ActiveTap } from '../tap/active-tap.ts';
import { listPods } from '../tap/read-target.ts';

/** The age from which a tap that still starts is abandoned, in ms: nobody waits so long for a rollout. */
const STARTING_MS = 15 * 60_000;
/** The time between two looks for followers, in ms: a tap is on shortly before they start. */
const AGAIN_MS = 3000;
/** A live follower touches its file several times a minute, and `find -mmin` counts in minutes. */
const SCRIPT = `find ${paths.followers} -type f -mmin -1 2>/dev/null; :`;

/**
 * Whether a capture died and left its tap on: for a minute nobody has read flows from any of its pods. A session may be
 * left on purpose, so it is never abandoned.
 */
export async function isAbandoned({ kubectl, service, record }: ActiveTap): Promise<boolean> {
  if (!isCapture(record)) return false;
  if (record.phase === 'starting') return Date.now() - Date.parse(record.started) > STARTING_MS;
  // Somebody may be restoring it now; doing so twice does no harm.
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
