import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kubectl, KubectlError } from '../kube/kubectl.ts';
import { containerStatus, type Pod } from '../kube/objects.ts';
import { paths } from '../plan/pod-contract.ts';
import { type CapturedFlow, describeDamage, type PodFile } from './pod-file.ts';

/** One run of the proxy in a pod. A restarted container has a new file. */
export interface Run {
  pod: string;
  uid: string | undefined;
  container: string;
  restarts: number;
}

/** How the flows of a run ended: complete, cut off with the pod or with the proxy alone, or not readable. */
export interface RunEnd {
  kind: 'complete' | 'killed' | 'died' | 'left' | 'forbidden' | 'unreadable';
  /** The error message. */
  why?: string;
}

// At its end the proxy waits for followers: each has a file in FOLLOWERS, and writes into it at every heartbeat how many
// bytes it has read and needs no more.
const { followers: FOLLOWERS } = paths;
/**
 * The time between heartbeats, in ms. Without them, a follower on a lost machine would seem to read on. The proxy may free
 * what every follower has read: in this time some 200 MB come at most.
 */
const HEARTBEAT_MS = 2000;
/** When a follower reconnects, its file must still exist. Otherwise the flows are those of another run. */
const SCRIPT = `
if [ "$2" -gt 1 ]; then [ -e ${FOLLOWERS}/"$1" ] || exit 3
else mkdir -p ${FOLLOWERS} && : >${FOLLOWERS}/"$1" || exit 3
fi
: >>"$3"
tail -c "+$2" -f "$3" &
while read -r passed; do [ -e ${FOLLOWERS}/"$1" ] && echo "$passed" >${FOLLOWERS}/"$1"; done
kill $!
`;
const AGAIN_MS = 500;

/**
 * Reads the flows of one run, from the first, until the proxy says that there are no more. Reconnects when the
 * connection is lost, and continues where it was.
 * @param id the name of this follower in the pod, in hexadecimal.
 * @param file what the proxy of the run writes.
 * @param take gets each flow as soon as it is done with the one before.
 * @param signal ends the reading.
 */
export async function followRun(
  kubectl: Kubectl,
  run: Run,
  id: string,
  file: PodFile,
  take: (flow: CapturedFlow) => Promise<void>,
  signal: AbortSignal,
): Promise<RunEnd> {
  const end = await readToEnd(kubectl, run, id, file, take, signal);
  if (end.kind === 'complete') await leaveRun(kubectl, run, id);
  for (const flow of file.end()) await take(flow);
  return end;
}

async function readToEnd(
  kubectl: Kubectl,
  run: Run,
  id: string,
  file: PodFile,
  take: (flow: CapturedFlow) => Promise<void>,
  signal: AbortSignal,
): Promise<RunEnd> {
  for (;;) {
    const { damage, stderr } = await readOn(kubectl, run, id, file, take, signal);
    if (damage !== undefined) return { kind: 'unreadable', why: damage };
    if (file.isOver) return { kind: 'complete' };
    if (signal.aborted) return { kind: 'left' };
    if (/\(Forbidden\)|is forbidden/.test(stderr))
      return { kind: 'forbidden', why: new KubectlError(stderr).message };
    const state = await readRunState(kubectl, run);
    if (state !== 'running') return { kind: state };
    await sleep(AGAIN_MS);
  }
}

/** Reads until the proxy or the connection ends. @returns what is wrong with the file, and what kubectl says. */
async function readOn(
  kubectl: Kubectl,
  run: Run,
  id: string,
  file: PodFile,
  take: (flow: CapturedFlow) => Promise<void>,
  signal: AbortSignal,
): Promise<{ damage?: string; stderr: string }> {
  const script = ['sh', '-c', SCRIPT, 'mittens', id, String(file.received + 1), file.path];
  const where = ['-i', `pod/${run.pod}`, `--container=${run.container}`];
  const child = kubectl.follow(['exec', ...where, '--', ...script]);
  const heart = setInterval(() => child.stdin.write(`${file.passed}\n`), HEARTBEAT_MS);
  const closed = once(child, 'close').catch(() => undefined);
  const stop = () => child.kill();
  signal.addEventListener('abort', stop);
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => {
    stderr = (stderr + data.toString()).slice(0, 2000);
  });
  try {
    for await (const chunk of child.stdout) {
      for (const flow of file.push(chunk as Buffer)) await take(flow);
      if (file.isOver || signal.aborted) break;
    }
  } catch (error) {
    const damage = describeDamage(error);
    if (damage === undefined) throw error;
    return { damage, stderr };
  } finally {
    signal.removeEventListener('abort', stop);
    clearInterval(heart);
    child.kill();
    await closed;
  }
  return { stderr };
}

/** Removes the follower's file, so that the proxy can end. Ignores a proxy that has already ended. */
async function leaveRun(kubectl: Kubectl, { pod, container }: Run, id: string): Promise<void> {
  const command = ['rm', '-f', `${FOLLOWERS}/${id}`];
  await kubectl
    .run(['exec', `pod/${pod}`, `--container=${container}`, '--', ...command])
    .catch(() => undefined);
}

async function readRunState(kubectl: Kubectl, run: Run): Promise<'running' | 'killed' | 'died'> {
  try {
    const pod = await kubectl.find<Pod>([`pod/${run.pod}`]);
    if (!pod || pod.metadata.uid !== run.uid) return 'killed';
    const status = containerStatus(pod, run.container);
    const isOver = status && (status.restartCount !== run.restarts || status.state?.terminated);
    if (!isOver) return 'running';
    return pod.metadata.deletionTimestamp ? 'killed' : 'died';
  } catch (error) {
    // The API server may be away for a while. It knows more when it is back.
    if (error instanceof KubectlError) return 'running';
    throw error;
  }
}
