import { randomBytes } from 'node:crypto';
import { type Container, startContainer } from '../containers/container.ts';
import type { Image } from '../containers/image.ts';
import type { Log } from '../containers/log.ts';
import type { Sandbox } from '../network/sandbox.ts';
import type { ContainerSpec } from '../objects/container-spec.ts';
import { type KubeObject, now } from '../objects/object.ts';
import type { Registry } from '../store/registry.ts';
import { ConfigError } from './config-error.ts';
import { expand, makeEnvironment } from './environment.ts';
import type { ContainerStatus } from './pod-status.ts';
import { probe } from './probe.ts';
import { followProbes } from './prober.ts';
import { BACK_OFF, pull } from './pull.ts';
import { listMounts } from './volume.ts';

/** What a container needs from its pod. */
export interface PodHost {
  registry: Registry;
  /** The current pod, with its IP. */
  pod(): KubeObject;
  sandbox(): Sandbox;
  /** Another container of the pod, if it runs. */
  running(name: string): Container | undefined;
  /** The folder of its volumes. */
  volumes: string;
  /** The status has changed. */
  changed(): void;
  event(type: 'Normal' | 'Warning', reason: string, message: string, fieldPath: string): void;
}

/** A container's role, which tells the list of the pod's spec that has it. */
const ROLES = {
  container: 'containers',
  init: 'initContainers',
  sidecar: 'initContainers',
  ephemeral: 'ephemeralContainers',
} as const;

export type Role = keyof typeof ROLES;

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

/** What a container that is stopped after others gets on top of the grace period, in ms. */
const LEAST_MS = 2000;

/** One container of a pod over all its restarts: pull, start, probes, restart, end. */
export class PodContainer {
  readonly spec: ContainerSpec;
  readonly status: ContainerStatus;
  /** The logs of this run and of the one before. */
  log: Log | undefined;
  previousLog: Log | undefined;
  /** undefined while it does not run. */
  running: Container | undefined;
  readonly #host: PodHost;
  readonly #role: Role;
  readonly #stopped = new AbortController();
  #lives: Promise<void> | undefined;
  #begin: () => void = () => undefined;
  /** Resolves once it runs for the first time, or waits for its image or its configuration. */
  readonly begun = new Promise<void>((resolve) => {
    this.#begin = resolve;
  });

  #rise: () => void = () => undefined;
  /** Resolves once its startup probe has succeeded, or it was told to end. */
  readonly risen = new Promise<void>((resolve) => {
    this.#rise = resolve;
  });

  constructor(spec: ContainerSpec, host: PodHost, role: Role) {
    this.spec = spec;
    this.#host = host;
    this.#role = role;
    this.status = {
      ...{ name: spec.name, image: spec.image, imageID: '', ready: false, restartCount: 0 },
      ...(role !== 'ephemeral' && { started: false }),
      state: { waiting: { reason: 'PodInitializing' } },
      lastState: {},
    };
    if ((host.pod().spec.initContainers ?? []).length === 0)
      this.status.state = { waiting: { reason: 'ContainerCreating' } };
  }

  /** Runs and restarts it until its restart policy, or stop(), ends it. */
  async run(restart: RestartPolicy): Promise<void> {
    this.#lives = this.#run(restart);
    await this.#lives;
    this.#begin();
  }

  async #run(restart: RestartPolicy): Promise<void> {
    let wait = BACK_OFF.first;
    for (let life = 0; !this.#stopped.signal.aborted; life++) {
      await this.#live();
      if (this.#stopped.signal.aborted) return;
      const { exitCode = 0 } = this.status.state.terminated ?? {};
      if (restart === 'Never' || (restart === 'OnFailure' && exitCode === 0)) return;
      if (life > 0) {
        this.#backOff(wait);
        await this.#sleep(wait);
        wait = Math.min(wait * 2, BACK_OFF.most);
      }
      if (this.#stopped.signal.aborted) return;
      this.status.lastState = this.#lastLife;
      this.status.restartCount++;
    }
  }

  /**
   * Ends it for good. A second call can only shorten the time. Its preStop hook runs at once; SIGTERM waits for `turn`, but
   * no longer than the grace period.
   */
  async stop(graceSeconds: number, turn?: Promise<unknown>): Promise<void> {
    const { aborted: again } = this.#stopped.signal;
    this.#stopped.abort();
    this.#rise();
    const least = turn && graceSeconds > 0 ? LEAST_MS : 0;
    this.#killBefore(Date.now() + graceSeconds * 1000 + least);
    if (!again && this.running) {
      this.#event('Normal', 'Killing', `Stopping container ${this.spec.name}`);
      await this.#end(this.running, graceSeconds, turn);
    }
    await this.#lives;
    clearTimeout(this.#kill);
  }

  #deadline = Number.POSITIVE_INFINITY;
  #kill: NodeJS.Timeout | undefined;

  /** The earliest deadline counts. */
  #killBefore(time: number): void {
    if (time >= this.#deadline) return;
    this.#deadline = time;
    clearTimeout(this.#kill);
    this.#kill = setTimeout(() => this.running?.signal('SIGKILL'), Math.max(0, time - Date.now()));
  }

  /** Runs preStop, then sends SIGTERM. */
  async #end(running: Container, graceSeconds: number, turn?: Promise<unknown>): Promise<void> {
    if (graceSeconds === 0) return;
    const { preStop } = this.spec.lifecycle ?? {};
    const before = Promise.all([preStop && this.#hook(preStop, running), turn]);
    if (preStop || turn) await Promise.race([before, sleep(graceSeconds * 1000)]);
    running.signal('SIGTERM');
  }

  // -- one run

  #lastLife: ContainerStatus['state'] = {};

  async #live(): Promise<void> {
    const image = await this.#pull();
    if (!image) return;
    const container = await this.#start(image);
    if (!container) return;
    // It was stopped while it started.
    if (this.#stopped.signal.aborted) container.signal('SIGKILL');
    this.running = container;
    this.status.containerID = `pocket://${randomBytes(32).toString('hex')}`;
    this.#presume();
    this.#become({ running: { startedAt: now() } });
    this.#event('Normal', 'Started', `Started container ${this.spec.name}`);
    const over = new AbortController();
    const probing = this.#follow(container, AbortSignal.any([over.signal, this.#stopped.signal]));
    const { exitCode, startedAt, finishedAt, reason, message } = await container.exited;
    over.abort();
    await probing;
    this.running = undefined;
    this.status.ready = false;
    if (this.#role !== 'ephemeral') this.status.started = false;
    const why = reason ?? (exitCode === 0 ? 'Completed' : 'Error');
    this.#become({
      terminated: {
        ...{ exitCode, reason: why, ...(message && { message }), startedAt, finishedAt },
        containerID: this.status.containerID,
      },
    });
    this.#lastLife = this.status.state;
  }

  /** Pulls the image; undefined when stopped before. */
  async #pull(): Promise<Image | undefined> {
    const { image } = this.spec;
    const found = await pull(this.spec, {
      event: (type, reason, message) => this.#event(type, reason, message),
      wait: (reason, message) => this.#wait(reason, message),
      sleep: (ms) => this.#sleep(ms),
      isStopped: () => this.#stopped.signal.aborted,
    });
    if (found) this.status.imageID = `pocket/${image}`;
    return found;
  }

  async #start(image: Image): Promise<Container | undefined> {
    for (; !this.#stopped.signal.aborted; await this.#sleep(1000)) {
      try {
        return await this.#create(image);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        this.#event('Warning', 'Failed', `Error: ${error.message}`);
        this.#wait('CreateContainerConfigError', error.message);
      }
    }
    return undefined;
  }

  async #create(image: Image): Promise<Container> {
    const { spec } = this;
    const pod = this.#host.pod();
    const own = makeEnvironment(this.#host.registry, pod, spec);
    const security = { ...pod.spec.securityContext, ...spec.securityContext };
    const container = await startContainer({
      sandbox: this.#host.sandbox(),
      target: this.#target(),
      image,
      command: (spec.command ?? []).map((word: string) => expand(word, own)),
      args: (spec.args ?? []).map((word: string) => expand(word, own)),
      env: { HOSTNAME: findHostname(pod), ...own },
      workingDir: spec.workingDir,
      tty: spec.tty === true,
      stdin: spec.stdin === true,
      runAsUser: security.runAsUser ?? 0,
      runAsGroup: security.runAsGroup ?? security.runAsUser ?? 0,
      mounts: listMounts(pod, spec, this.#host.volumes),
      hostname: findHostname(pod),
    });
    this.previousLog = this.log;
    this.log = container.log;
    this.#event('Normal', 'Created', `Created container ${spec.name}`);
    return container;
  }

  /** The container that it targets. @throws ConfigError while that one does not run. */
  #target(): Container | undefined {
    const { targetContainerName: name } = this.spec;
    if (!name) return undefined;
    const target = this.#host.running(name);
    if (!target) throw new ConfigError(`unable to find target container ${name}`);
    return target;
  }

  // -- its health

  async #follow(container: Container, signal: AbortSignal): Promise<void> {
    if (!this.#isAsked) return;
    await followProbes(
      this.spec,
      {
        ask: (kind, asked) => probe(asked, this.#host.pod(), this.spec, container, kind),
        unhealthy: (message) => this.#event('Warning', 'Unhealthy', message),
        started: () => this.#setStarted(),
        ready: (is) => this.#setReady(is),
        failed: (kind) => void this.#restart(container, kind),
      },
      signal,
    );
  }

  /** Ends this run; its restart policy decides whether there is another. */
  async #restart(container: Container, probe: string): Promise<void> {
    const { terminationGracePeriodSeconds: graceSeconds } = this.#host.pod().spec;
    this.#event('Normal', 'Killing', `Container ${this.spec.name} failed ${probe} probe, will be restarted`);
    const kill = setTimeout(() => container.signal('SIGKILL'), graceSeconds * 1000);
    await Promise.all([this.#end(container, graceSeconds), container.exited]);
    clearTimeout(kill);
  }

  /** Without a probe, a container is started and ready at once. */
  #presume(): void {
    const { startupProbe, readinessProbe } = this.spec;
    if (this.#role !== 'ephemeral') this.status.started = !startupProbe;
    if (this.#isAsked) this.status.ready = !startupProbe && !readinessProbe;
  }

  /** Whether its probes are run: init and ephemeral containers have none. */
  get #isAsked(): boolean {
    return this.#role === 'container' || this.#role === 'sidecar';
  }

  #setStarted(): void {
    this.#rise();
    if (this.status.started) return;
    this.status.started = true;
    this.#host.changed();
  }

  #setReady(ready: boolean): void {
    if (this.status.ready === ready) return;
    this.status.ready = ready;
    this.#host.changed();
  }

  // -- restarts, events and state

  async #hook(preStop: ContainerSpec, running: Container): Promise<void> {
    if (preStop.sleep) await sleep(preStop.sleep.seconds * 1000);
    if (preStop.httpGet)
      await probe({ ...preStop, timeoutSeconds: 3600 }, this.#host.pod(), this.spec, running);
    if (!preStop.exec) return;
    const command = await running.exec(preStop.exec.command, { tty: false, stdin: false });
    command.stdout.resume();
    command.stderr?.resume();
    const code = await command.exited.catch(() => 128);
    if (code !== 0) this.#event('Warning', 'FailedPreStopHook', `PreStopHook failed with exit code ${code}`);
  }

  #backOff(wait: number): void {
    const { metadata } = this.#host.pod();
    const whom = `${this.spec.name} pod=${metadata.name}_${metadata.namespace}(${metadata.uid})`;
    this.status.lastState = this.#lastLife;
    this.#event(
      'Warning',
      'BackOff',
      `Back-off restarting failed container ${this.spec.name} in pod ${metadata.name}_${metadata.namespace}(${metadata.uid})`,
    );
    this.#wait('CrashLoopBackOff', `back-off ${wait / 1000}s restarting failed container=${whom}`);
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#host.event(type, reason, message, `spec.${ROLES[this.#role]}{${this.spec.name}}`);
  }

  #wait(reason: string, message: string): void {
    this.#become({ waiting: { reason, message } });
  }

  #become(state: ContainerStatus['state']): void {
    this.status.state = state;
    this.#begin();
    this.#host.changed();
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(ms, this.#stopped.signal);
  }
}

function findHostname({ spec, metadata }: KubeObject): string {
  return spec.hostname ?? metadata.name;
}

/** Waits, or returns when aborted. */
function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
    function done() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
  });
}
