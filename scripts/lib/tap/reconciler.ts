import { KubectlError } from '../kube/kubectl.ts';
import { isAlive, isReady, type Pod, selectorFlag } from '../kube/objects.ts';
import { proxyTrouble } from '../kube/rollout.ts';
import { copyForPod, type EphemeralContainer } from '../plan/ephemeral.ts';
import { originalSelector } from '../plan/pod-label.ts';
import { isPod, targetId } from '../plan/target-id.ts';
import { UserError } from '../util/error.ts';
import { type ActiveTap, readPhase } from './active-tap.ts';
import type { Context } from './context.ts';
import { getsTraffic, injectPod, needsProxy } from './inject-pod.ts';
import { listPods } from './read-target.ts';

/** What the API server will not say otherwise the next time. */
const REFUSALS = ['Forbidden', 'Invalid', 'BadRequest', 'MethodNotAllowed'];
/** How often the pods are read when nothing is heard of them, in ms. */
const LOOK_MS = 2000;

/**
 * Watches over a tap without a restart: pods that come get the proxy, and then the Service's traffic. Nobody else does
 * that, so a tap that is not watched loses its pods one after another.
 */
export class Reconciler {
  readonly #context: Context;
  readonly #tap: ActiveTap;
  readonly #failed = new AbortController();
  readonly #stopped = new AbortController();
  readonly #underWay = new Map<string, Promise<void>>();
  #container: EphemeralContainer | undefined;
  #wasServing = false;
  #wake: () => void = () => undefined;
  #watching: Promise<void> = Promise.resolve();

  constructor(context: Context, tap: ActiveTap) {
    this.#context = { ...context, signal: this.#stopped.signal };
    this.#tap = tap;
  }

  /** Aborted when the Service is to be given back at once; the reason is the UserError that says why. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Begins to watch. */
  start(): this {
    this.#watching = this.#run().catch((error: unknown) => this.#failed.abort(error));
    return this;
  }

  /** Ends without a change to anything. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake();
    await this.#watching;
    await Promise.allSettled(this.#underWay.values());
  }

  /** Until it fails, or the tap is over; or a signal. */
  async untilOver(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    await Promise.race([this.#watching, aborted]);
  }

  async #run(): Promise<void> {
    const listener = this.#listen();
    try {
      while (!this.#isOver()) {
        const heard = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        if (!(await this.#look())) return;
        const timer = setTimeout(this.#wake, LOOK_MS);
        await heard;
        clearTimeout(timer);
      }
    } finally {
      listener.end();
    }
  }

  #isOver(): boolean {
    return this.#stopped.signal.aborted || this.failed.aborted;
  }

  /** Looks as soon as a pod changes: one that is new may be ready within a second. */
  #listen(): { end(): void } {
    const { kubectl, service } = this.#tap;
    const which = isPod(service)
      ? [targetId(service)]
      : ['pods', '-l', selectorFlag(originalSelector(service))];
    const over = new AbortController();
    const listen = () => {
      if (over.signal.aborted) return;
      const child = kubectl.follow(['get', ...which, '--watch', '--output', 'name']);
      over.signal.addEventListener('abort', () => child.kill());
      child.stdout.on('data', () => this.#wake());
      child.stderr.resume();
      child.once('exit', () => setTimeout(listen, LOOK_MS).unref());
    };
    listen();
    return { end: () => over.abort() };
  }

  /** @returns false when the tap is over. */
  async #look(): Promise<boolean> {
    const { kubectl, service } = this.#tap;
    let pods: Pod[];
    try {
      pods = await listPods(kubectl, service);
      // After the pods: those of a tap that has ended have ended, too.
      if (!(await this.#isOn())) return false;
    } catch (error) {
      // An API server that is away for a while is waited for.
      if (error instanceof KubectlError) return true;
      throw error;
    }
    this.#refuse(pods);
    for (const pod of pods) if (needsProxy(pod, this.#tap)) this.#serve(pod);
    return true;
  }

  async #isOn(): Promise<boolean> {
    const phase = await readPhase(this.#tap);
    return phase !== undefined && phase !== 'stopping';
  }

  /** @throws UserError when what comes to the Service would reach nobody, or not what the tap is for. */
  #refuse(pods: Pod[]): void {
    const { service, record } = this.#tap;
    const name = targetId(service);
    for (const pod of pods.filter(isAlive)) {
      const trouble = proxyTrouble(pod, record.container);
      if (trouble) throw new UserError(trouble.text, { hint: trouble.hint });
    }
    const serving = pods.filter((pod) => getsTraffic(pod, this.#tap));
    if (this.#wasServing && serving.length === 0) {
      if (record.pod) throw new UserError(`pod/${record.pod} is gone, or not ready any more`);
      if (pods.some(isReady))
        throw new UserError(`no pod of ${name} with a proxy is ready any more, but others are`);
    }
    this.#wasServing = serving.length > 0;
    const source = pods.flatMap(({ spec }) => spec.ephemeralContainers ?? []);
    this.#container = source.find(({ name }) => name === record.container) ?? this.#container;
  }

  /** Serves a pod in the background. */
  #serve(pod: Pod): void {
    const key = pod.metadata.uid ?? pod.metadata.name;
    if (this.#underWay.has(key)) return;
    const served = this.#serveNow(pod)
      .catch((error: unknown) => this.#judge(error))
      .finally(() => {
        this.#underWay.delete(key);
        this.#wake();
      });
    this.#underWay.set(key, served);
  }

  async #serveNow(pod: Pod): Promise<void> {
    const { name } = pod.metadata;
    if (!this.#container)
      throw new UserError(`there is no proxy any more of which pod/${name} could get a copy`);
    await injectPod(this.#context, this.#tap, pod, copyForPod(this.#container, pod, this.#tap.record));
  }

  /** What keeps a pod from being served ends the tap; unless that is over, or the API server only away. */
  async #judge(error: unknown): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    if (error instanceof KubectlError && !REFUSALS.includes(error.reason ?? '')) return;
    if (await this.#isOn().catch(() => true)) this.#failed.abort(error);
  }
}

/** Whether pods that come would have no proxy unless somebody puts it there, and so no traffic. */
export function needsReconciler({ service, record }: Omit<ActiveTap, 'kubectl'>): boolean {
  return record.mode === 'ephemeral' && !isPod(service);
}
