import { KubectlError } from '../kube/kubectl.ts';
import { isAlive, isReady, type Pod, selectorFlag } from '../kube/objects.ts';
import { findProxyTrouble } from '../kube/trouble.ts';
import { copyForPod, type EphemeralContainer } from '../plan/ephemeral.ts';
import { originalSelector } from '../plan/pod-label.ts';
import { isPod, targetId } from '../plan/target-id.ts';
import { UserError } from '../util/error.ts';
import { type ActiveTap, readPhase } from './active-tap.ts';
import type { Context } from './context.ts';
import { getsTraffic, injectPod, needsProxy } from './inject-pod.ts';
import { listPods } from './read-target.ts';

/** Reasons for which the API server would refuse again. */
const REFUSALS = ['Forbidden', 'Invalid', 'BadRequest', 'MethodNotAllowed'];
/** How often the pods are read when no event comes, in ms. */
const LOOK_MS = 2000;

/**
 * Keeps a tap without a restart complete: injects the proxy into new pods, which then get traffic. Nothing else does,
 * so without a reconciler a tap loses its pods one after another.
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

  /** Aborts when the Service must be restored at once. The reason is a UserError. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Starts in the background. */
  start(): this {
    this.#watching = this.#run().catch((error: unknown) => this.#failed.abort(error));
    return this;
  }

  /** Stops, and leaves the tap as it is. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake();
    await this.#watching;
    await Promise.allSettled(this.#underWay.values());
  }

  /** Waits until the reconciler fails, the tap ends, or the signal aborts. */
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

  /** Wakes up when a pod changes: a new pod may be ready within a second. */
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
      // Read after the pods: when the tap has ended meanwhile, its proxies have ended on purpose.
      if (!(await this.#isOn())) return false;
    } catch (error) {
      // The API server may be away for a while.
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

  /** @throws UserError when traffic would reach no pod, or pods without a proxy. */
  #refuse(pods: Pod[]): void {
    const { service, record } = this.#tap;
    const name = targetId(service);
    for (const pod of pods.filter(isAlive)) {
      const trouble = findProxyTrouble(pod, record.container);
      if (trouble) throw new UserError(trouble.text, { hint: trouble.hint });
    }
    const serving = pods.filter((pod) => getsTraffic(pod, this.#tap));
    // An isolated pod served when the tap began, even if it is gone before this reconciler looks for the first time.
    if (record.pod && serving.length === 0)
      throw new UserError(`pod/${record.pod} is gone, or not ready any more`);
    if (this.#wasServing && serving.length === 0 && pods.some(isReady))
      throw new UserError(`no pod of ${name} with a proxy is ready any more, but others are`);
    this.#wasServing = serving.length > 0;
    const source = pods.flatMap(({ spec }) => spec.ephemeralContainers ?? []);
    this.#container = source.find(({ name }) => name === record.container) ?? this.#container;
  }

  /** Injects into a pod in the background. */
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
      throw new UserError(`no pod has the proxy any more, so pod/${name} can't get a copy`);
    await injectPod(this.#context, this.#tap, pod, copyForPod(this.#container, pod, this.#tap.record));
  }

  /** An error of an injection ends the tap, unless the tap is over or the API server only away. */
  async #judge(error: unknown): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    if (error instanceof KubectlError && !REFUSALS.includes(error.reason ?? '')) return;
    if (await this.#isOn().catch(() => true)) this.#failed.abort(error);
  }
}

/** Whether new pods of a tap get neither proxy nor traffic without a reconciler. */
export function needsReconciler({ service, record }: Omit<ActiveTap, 'kubectl'>): boolean {
  return record.mode === 'ephemeral' && !isPod(service);
}
