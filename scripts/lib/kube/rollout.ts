import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { UserError } from '../util/error.ts';
import type { Log } from '../util/log.ts';
import { type Kubectl, KubectlError } from './kubectl.ts';
import { isAlive, isReady, type Pod, selectorFlag, type Workload } from './objects.ts';
import { findPodTrouble, findWorkloadTrouble, hintFor, type Trouble } from './trouble.ts';
import { podCounts, workloadName } from './workload.ts';

export interface RolloutOptions {
  /** How long to wait, in seconds. */
  timeout: number;
  log: Log;
  signal?: AbortSignal;
  /** Whether a pod already follows the changed template. */
  isNew: (pod: Pod) => boolean;
  /** The container that has no reason to fail even once; its exit ends the wait. */
  container?: string;
}

const POLL_MS = 1000;
/**
 * Waits until a workload's pods follow its template. Shows the progress.
 * @throws UserError with the reason from the pod or the workload, seconds after Kubernetes knows it.
 */
export async function waitForRollout(
  kubectl: Kubectl,
  workload: Workload,
  options: RolloutOptions,
): Promise<void> {
  const giveUp = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, giveUp.signal]) : giveUp.signal;
  const started = Date.now();
  const rollout = followRollout(kubectl, workloadName(workload), started + options.timeout * 1000, signal);
  const done = rollout.then(
    () => true,
    () => true,
  );
  let trouble: Trouble | undefined;
  while (!(await Promise.race([done, sleep(POLL_MS).then(() => false)]))) {
    trouble = await lookForTrouble(kubectl, workload, Date.now() - started, options);
    if (!trouble?.fatal) continue;
    giveUp.abort();
    await done;
    throw new UserError(trouble.text + (await readLastLines(kubectl, trouble)), {
      hint: hintFor(trouble.text),
    });
  }
  await rollout.catch((error: unknown) => {
    if (!(error instanceof KubectlError)) throw error;
    const why = trouble?.text ?? error.message;
    throw new UserError(`${workloadName(workload)} did not roll out in ${options.timeout} s: ${why}`);
  });
}

/** Waits with `kubectl rollout status`, and again when the API server was away for a while. */
async function followRollout(
  kubectl: Kubectl,
  name: string,
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const left = Math.max(1, Math.ceil((deadline - Date.now()) / 1000));
    try {
      await kubectl.run(['rollout', 'status', name, `--timeout=${left}s`], { signal });
      return;
    } catch (error) {
      const final = /timed out waiting|progress deadline|NotFound|Forbidden/;
      if (!(error instanceof KubectlError) || final.test(error.message) || Date.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
  }
}

async function lookForTrouble(
  kubectl: Kubectl,
  workload: Workload,
  waited: number,
  { log, isNew, container }: RolloutOptions,
): Promise<Trouble | undefined> {
  const name = workloadName(workload);
  const selector = selectorFlag(workload.spec.selector.matchLabels ?? {});
  try {
    const [current, pods] = await Promise.all([
      kubectl.get<Workload>([name]),
      kubectl.list<Pod>(['pods', '-l', selector]),
    ]);
    const fresh = pods.filter((pod) => isAlive(pod) && isNew(pod));
    const trouble =
      fresh.map((pod) => findPodTrouble(pod, container, waited)).find((found) => found !== undefined) ??
      findWorkloadTrouble(current) ??
      (fresh.length === 0 && waited > 2 * POLL_MS ? await findEventTrouble(kubectl, workload) : undefined);
    const { wanted } = podCounts(current);
    log.progress(
      `${name}: ${fresh.filter(isReady).length} of ${wanted} pods ready${trouble ? `; ${trouble.text}` : ''}`,
    );
    return trouble;
  } catch (error) {
    // The API server may be slow or restart. The timeout of the rollout ends the wait.
    if (error instanceof KubectlError) return { text: error.message, fatal: false };
    throw error;
  }
}

/** StatefulSets and DaemonSets report only in an event why they can't create a pod. */
async function findEventTrouble(kubectl: Kubectl, workload: Workload): Promise<Trouble | undefined> {
  const fields = `involvedObject.name=${workload.metadata.name},involvedObject.kind=${workload.kind},reason=FailedCreate`;
  const events = await kubectl
    .list<{ message: string; lastTimestamp?: string }>(['events', `--field-selector=${fields}`])
    .catch(() => []);
  const last = events.filter(({ lastTimestamp }) => isRecent(lastTimestamp)).at(-1);
  return last && { text: `${workloadName(workload)}: ${last.message}`, fatal: true };
}

function isRecent(timestamp: string | undefined): boolean {
  return timestamp !== undefined && Date.now() - Date.parse(timestamp) < 15_000;
}

/** The last lines of the log of a container that ended. */
export async function readLastLines(kubectl: Kubectl, { log }: Trouble): Promise<string> {
  if (!log) return '';
  const args = ['logs', `pod/${log.pod}`, `--container=${log.container}`, '--tail=3'];
  // After a restart, the log that says why is the previous one; the restart may also happen now.
  for (const which of [['--previous'], [], ['--previous']]) {
    const words = await kubectl.run([...args, ...which]).catch(() => '');
    // The proxy has a terminal: its lines have colours, and end in CR LF.
    const plain = stripVTControlCharacters(words).replaceAll('\r', '').trim();
    if (plain) return `\n${plain}`;
  }
  return '';
}
