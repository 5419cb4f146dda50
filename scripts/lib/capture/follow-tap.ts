import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubectlError } from '../kube/kubectl.ts';
import { containerStatus, type Pod } from '../kube/objects.ts';
import type { ActiveTap } from '../tap/active-tap.ts';
import { listPods } from '../tap/read-target.ts';
import { Budget } from '../wire/budget.ts';
import { FlowPodFile } from './flow-pod-file.ts';
import { followRun, type Run, type RunEnd } from './follow-pod.ts';
import type { CapturedFlow, PodFile, Reading } from './pod-file.ts';
import { WirePodFile } from './wire-pod-file.ts';

/** How often the pods are read, in ms. */
const POLL_MS = 2000;
/** How long a pod may be missing from the list before it counts as killed, in ms, even if the connection is open. */
const UNLISTED_MS = 15_000;

/** How long pods may take to end after their Service was restored, in seconds. Kubernetes gives them 30. */
export const FINISH_SECONDS = 60;

/** What was read from the pods of a tap. */
export interface FollowResult {
  /** The number of runs that were followed: one for each pod, and one more for each restart. */
  pods: number;
  /** What may be missing, and why. */
  warnings: string[];
}

interface Follower {
  run: Run;
  file: PodFile;
  leave: AbortController;
  end: Promise<void>;
  listed: number;
  ended?: RunEnd;
}

/** Reads the flows of all pods of a tap, also of those that come later. */
export class TapFollower {
  readonly #tap: ActiveTap;
  readonly #take: (flow: CapturedFlow) => Promise<void>;
  readonly #reading: Reading;
  readonly #id = randomBytes(8).toString('hex');
  readonly #followers = new Map<string, Follower>();
  #error: { thrown: unknown } | undefined;
  #watching: Promise<void> | undefined;
  #watched = true;

  /**
   * @param take gets every flow. What it throws, finish() throws again.
   * @param bodyLimit what is kept of each body or message, in bytes, where the proxy does not cut them itself.
   */
  constructor(tap: ActiveTap, take: (flow: CapturedFlow) => Promise<void>, bodyLimit?: number) {
    this.#tap = tap;
    this.#take = take;
    this.#reading = { bodyLimit, budget: new Budget() };
  }

  get pods(): number {
    return this.#followers.size;
  }

  /** Starts with the pods that exist now. */
  async start(): Promise<void> {
    await this.#look();
    this.#watching = this.#watch().catch((error: unknown) => {
      this.#error ??= { thrown: error };
    });
  }

  /**
   * Reads the flows of all pods to the end, after the Service was restored.
   * @param patience how long the pods may take to end, in seconds.
   */
  async finish(patience: number): Promise<FollowResult> {
    this.#watched = false;
    await this.#watching;
    await this.#look();
    const deadline = Date.now() + patience * 1000;
    const isOpen = () => [...this.#followers.values()].some(({ ended }) => !ended);
    while (isOpen() && Date.now() < deadline && !this.#error) {
      await Promise.race([sleep(POLL_MS), Promise.all([...this.#followers.values()].map(({ end }) => end))]);
      if (isOpen()) await this.#look();
    }
    const followers = [...this.#followers.values()];
    for (const { leave } of followers) leave.abort();
    await Promise.all(followers.map(({ end }) => end));
    if (this.#error) throw this.#error.thrown;
    return { pods: followers.length, warnings: formatWarnings(followers) };
  }

  async #watch(): Promise<void> {
    for (let waited = 100; this.#watched; waited += 100) {
      await sleep(100);
      if (waited % POLL_MS === 0) await this.#look();
    }
  }

  /** Follows new runs, and leaves those whose pod has been gone for long. */
  async #look(): Promise<void> {
    const { kubectl, service, record } = this.#tap;
    let pods: Pod[];
    try {
      pods = await listPods(kubectl, service);
    } catch (error) {
      if (error instanceof KubectlError) return;
      throw error;
    }
    for (const run of pods.flatMap((pod) => findRun(pod, record.container))) {
      const key = `${run.uid} ${run.restarts}`;
      const follower = this.#followers.get(key);
      if (follower) follower.listed = Date.now();
      else this.#followers.set(key, this.#follow(run));
    }
    for (const { listed, leave, ended } of this.#followers.values())
      if (!ended && Date.now() - listed > UNLISTED_MS) leave.abort();
  }

  #follow(run: Run): Follower {
    const leave = new AbortController();
    const { kubectl, record } = this.#tap;
    const file = record.program === 'wire' ? new WirePodFile(this.#reading) : new FlowPodFile();
    const follow = followRun(kubectl, run, this.#id, file, this.#take, leave.signal);
    const follower: Follower = { run, file, leave, listed: Date.now(), end: Promise.resolve() };
    follower.end = follow.then(
      (ended) => {
        follower.ended = ended;
      },
      (error: unknown) => {
        this.#error ??= { thrown: error };
        follower.ended = { kind: 'left' };
      },
    );
    return follower;
  }
}

/** The run of the proxy in a pod; empty when it does not run. */
function findRun(pod: Pod, container: string): Run[] {
  const status = containerStatus(pod, container);
  if (!status?.state?.running) return [];
  const { name, uid } = pod.metadata;
  return [{ pod: name, uid, container, restarts: status.restartCount }];
}

function formatWarnings(followers: Follower[]): string[] {
  const forbidden = followers.find(({ ended }) => ended?.kind === 'forbidden')?.ended?.why;
  const told = followers.flatMap(({ run, file, ended }) => {
    if (!ended || ended.kind === 'forbidden') return [];
    const { kind, why } = ended;
    const may = 'its last requests may be missing';
    const lines = {
      complete: [],
      killed: [`pod ${run.pod} was killed: ${may}`],
      died: [`the proxy in pod ${run.pod} died: ${may}`],
      left: [`pod ${run.pod} did not end in time: ${may}`],
      unreadable: [`the flows of pod ${run.pod} are damaged: ${why}`],
    }[kind];
    return [...lines, ...file.listOmissions().map((omission) => `pod ${run.pod}: ${omission}`)];
  });
  if (forbidden) told.push(`the flows are lost: ${forbidden}`);
  return told;
}
