import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Splitter } from '../flow/splitter.ts';
import { decode, TnetstringError } from '../flow/tnetstring.ts';
import { type Kubectl, KubectlError } from '../kube/kubectl.ts';
import { containerStatus, type Pod } from '../kube/objects.ts';
import { paths } from '../plan/pod-contract.ts';

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
  /** The number of flows that the proxy could not write. */
  dropped: number;
  /** The error message. */
  why?: string;
}

// The addon writes the file. At its end it waits for followers: each has a file in FOLLOWERS, which it touches at every
// heartbeat.
const { flows: FILE, followers: FOLLOWERS } = paths;
/** The time between heartbeats, in ms. Without them, a follower on a lost machine would seem to read on. */
const HEARTBEAT_MS = 10_000;
/** When a follower reconnects, its file must still exist. Otherwise the flows are those of another run. */
const SCRIPT = `
if [ "$2" -gt 1 ]; then [ -e ${FOLLOWERS}/"$1" ] || exit 3
else mkdir -p ${FOLLOWERS} && : >${FOLLOWERS}/"$1" || exit 3
fi
: >>${FILE}
tail -c "+$2" -f ${FILE} &
while read -r _; do [ -e ${FOLLOWERS}/"$1" ] && : >${FOLLOWERS}/"$1"; done
kill $!
`;
/** The proxy ends its file with a short entry. A flow is always longer than this. */
const MAX_END_BYTES = 200;
const AGAIN_MS = 500;

/**
 * Reads the flows of one run, from the first, until the proxy says that there are no more. Reconnects when the
 * connection is lost, and continues where it was.
 * @param id the name of this follower in the pod, in hexadecimal.
 * @param take gets each flow as soon as it is done with the one before.
 * @param signal ends the reading.
 */
export async function followRun(
  kubectl: Kubectl,
  run: Run,
  id: string,
  take: (flow: Buffer) => Promise<void>,
  signal: AbortSignal,
): Promise<RunEnd> {
  const splitter = new Splitter();
  for (;;) {
    const { end, stderr } = await readOn(kubectl, run, id, splitter, take, signal);
    if (end?.kind === 'complete') await leaveRun(kubectl, run, id);
    if (end) return end;
    if (signal.aborted) return { kind: 'left', dropped: 0 };
    if (/\(Forbidden\)|is forbidden/.test(stderr))
      return { kind: 'forbidden', dropped: 0, why: new KubectlError(stderr).message };
    const state = await readRunState(kubectl, run);
    if (state !== 'running') return { kind: state, dropped: 0 };
    splitter.reset();
    await sleep(AGAIN_MS);
  }
}

/** Reads until the proxy or the connection ends. */
async function readOn(
  kubectl: Kubectl,
  run: Run,
  id: string,
  splitter: Splitter,
  take: (flow: Buffer) => Promise<void>,
  signal: AbortSignal,
): Promise<{ end?: RunEnd; stderr: string }> {
  const script = ['sh', '-c', SCRIPT, 'mittens', id, String(splitter.passed + 1)];
  const where = ['-i', `pod/${run.pod}`, `--container=${run.container}`];
  const child = kubectl.follow(['exec', ...where, '--', ...script]);
  const heart = setInterval(() => child.stdin.write('\n'), HEARTBEAT_MS);
  const closed = once(child, 'close').catch(() => undefined);
  const stop = () => child.kill();
  signal.addEventListener('abort', stop);
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => {
    stderr = (stderr + data.toString()).slice(0, 2000);
  });
  try {
    for await (const chunk of child.stdout) {
      for (const piece of splitter.push(chunk as Buffer)) {
        const end = parseEnd(piece);
        if (end) return { end, stderr };
        await take(piece);
      }
      if (signal.aborted) break;
    }
  } catch (error) {
    if (!(error instanceof TnetstringError)) throw error;
    return { end: { kind: 'unreadable', dropped: 0, why: error.message }, stderr };
  } finally {
    signal.removeEventListener('abort', stop);
    clearInterval(heart);
    child.kill();
    await closed;
  }
  return { stderr };
}

/** Parses the last entry of the file; undefined for a flow. */
function parseEnd(piece: Buffer): RunEnd | undefined {
  if (piece.length > MAX_END_BYTES) return undefined;
  const value = decode(piece);
  if (!(value instanceof Map) || value.get('mittens') !== 'end') return undefined;
  return { kind: 'complete', dropped: Number(value.get('dropped')) || 0 };
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
