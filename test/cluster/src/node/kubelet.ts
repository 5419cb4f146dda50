import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { createSandbox, dial, hostSandbox, type Sandbox } from '../network/sandbox.ts';
import { type ContainerSpec, isSidecar } from '../objects/container-spec.ts';
import type { KubeObject } from '../objects/object.ts';
import type { Registry } from '../store/registry.ts';
import { ConfigError } from './config-error.ts';
import { PodContainer, type PodHost, type RestartPolicy, type Role } from './pod-container.ts';
import { podStatus } from './pod-status.ts';
import { HOSTS, makeVolumes } from './volume.ts';

/** The folder of all pods' volumes, in the cluster's mount namespace. */
const FOLDER = '/run/pocket/pods';

/** Runs the pods of the only node. */
export class Kubelet {
  readonly #pods = new Map<string, RunningPod>();
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
    registry.store.subscribe(({ type, resource, object }) => {
      if (resource.plural !== 'pods') return;
      const { uid, deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata;
      const running = this.#pods.get(uid);
      if (type === 'DELETED') void this.#end(uid, 0);
      else if (deletionTimestamp) void this.#end(uid, deletionGracePeriodSeconds);
      else if (running) running.add(object);
      else if (object.spec.nodeName) this.#begin(object);
    });
  }

  /** A container of a pod by its name, if the pod runs here. */
  container(pod: KubeObject, name: string): PodContainer | undefined {
    return this.#pods.get(pod.metadata.uid)?.all.find(({ spec }) => spec.name === name);
  }

  /** Opens a connection to a port of a pod, on the pod's own localhost. */
  async dial(pod: KubeObject, port: number): Promise<Duplex> {
    const sandbox = this.#pods.get(pod.metadata.uid)?.sandbox;
    if (!sandbox) throw new Error(`pod ${pod.metadata.name} does not run`);
    return await dial(sandbox, port);
  }

  #begin(pod: KubeObject): void {
    const running = new RunningPod(this.#registry, pod);
    this.#pods.set(pod.metadata.uid, running);
    running.run().catch((error: unknown) => console.error(`pod ${pod.metadata.name} fails:`, error));
  }

  async #end(uid: string, graceSeconds: number): Promise<void> {
    const running = this.#pods.get(uid);
    if (!running) return;
    await running.stop(graceSeconds);
    this.#pods.delete(uid);
  }
}

/** One pod, from its network to its end. */
class RunningPod {
  sandbox: Sandbox | undefined;
  #containers: PodContainer[] = [];
  #inits: PodContainer[] = [];
  readonly #ephemeral: PodContainer[] = [];
  /** It was told to end. */
  #stopped = false;
  /** Its containers have ended and will not restart. */
  #over = false;
  #pod: KubeObject;
  readonly #registry: Registry;
  readonly #folder: string;

  constructor(registry: Registry, pod: KubeObject) {
    this.#registry = registry;
    this.#pod = pod;
    this.#folder = join(FOLDER, pod.metadata.uid);
  }

  /** All its containers: init, ordinary and ephemeral. */
  get all(): PodContainer[] {
    return [...this.#inits, ...this.#containers, ...this.#ephemeral];
  }

  async run(): Promise<void> {
    const { spec, metadata } = this.#pod;
    this.#inits = (spec.initContainers ?? []).map((container: object) =>
      this.#make(container, isSidecar(container) ? 'sidecar' : 'init'),
    );
    this.#containers = spec.containers.map((container: object) => this.#make(container, 'container'));
    this.#tell();
    if (!(await this.#makeVolumes())) return;
    const sandbox = spec.hostNetwork ? hostSandbox : await createSandbox(metadata.uid.slice(0, 8), nextIP());
    // It was stopped meanwhile, and nobody else would remove the network.
    if (this.#gone) return await sandbox.remove();
    this.sandbox = sandbox;
    writeFileSync(join(this.#folder, HOSTS), formatHosts(this.#now()));
    this.#tell();
    this.add(this.#now());
    await this.#runAll(spec.restartPolicy);
    // In a pod that has ended, ephemeral containers end, and none starts.
    this.#over = true;
    await this.#endAll(spec.terminationGracePeriodSeconds);
  }

  /** Runs the init containers and then the others, until all have ended for good. */
  async #runAll(restart: RestartPolicy): Promise<void> {
    for (const init of this.#inits) {
      if (this.#stopped) return;
      if (isSidecar(init.spec)) {
        init.run('Always').catch((error: unknown) => this.#fail(error));
        await init.risen;
        continue;
      }
      await init.run(restart === 'Never' ? 'Never' : 'OnFailure');
      if (init.status.state.terminated?.exitCode !== 0) return;
      init.status.ready = true;
    }
    const lives: Promise<void>[] = [];
    for (const container of this.#containers) {
      if (this.#stopped) return;
      lives.push(container.run(restart));
      await container.begun;
    }
    await Promise.all(lives);
  }

  /** Runs the ephemeral containers that were added, once the pod has its network. */
  add({ spec }: KubeObject): void {
    if (!this.sandbox || this.#stopped || this.#over) return;
    const known = this.#ephemeral.map(({ spec }) => spec.name);
    const more = (spec.ephemeralContainers ?? []).filter(({ name }: KubeObject) => !known.includes(name));
    const made: PodContainer[] = more.map((container: object) => this.#make(container, 'ephemeral'));
    this.#ephemeral.push(...made);
    if (made.length > 0) this.#tell();
    for (const container of made) container.run('Never').catch((error: unknown) => this.#fail(error));
  }

  #make(container: ContainerSpec, role: Role): PodContainer {
    const host: PodHost = {
      registry: this.#registry,
      sandbox: () => this.sandbox ?? hostSandbox,
      running: (name) => this.all.find(({ spec }) => spec.name === name)?.running,
      volumes: this.#folder,
      pod: () => this.#now(),
      changed: () => this.#tell(),
      event: (type, reason, message, fieldPath) =>
        this.#registry.event(this.#pod, type, reason, message, fieldPath),
    };
    return new PodContainer(container, host, role);
  }

  #fail(error: unknown): void {
    console.error(`pod ${this.#pod.metadata.name} fails:`, error);
  }

  async stop(graceSeconds: number): Promise<void> {
    this.#stopped = true;
    await this.#endAll(graceSeconds);
    if (this.#gone) return;
    this.#gone = true;
    await this.sandbox?.remove();
    rmSync(this.#folder, { recursive: true, force: true });
    const { namespace, name, uid } = this.#pod.metadata;
    const stored = this.#registry.find('pods', namespace, name);
    // A finalizer may still keep the object.
    if (stored?.metadata.uid === uid) this.#registry.delete('pods', stored, { gracePeriodSeconds: 0 });
  }

  /** Ends all containers: ordinary ones first, then the sidecars in reverse order. */
  async #endAll(graceSeconds: number): Promise<void> {
    const sidecars = this.#inits.filter(({ spec }) => isSidecar(spec)).reverse();
    const others = this.all.filter((container) => !sidecars.includes(container));
    const ends = others.map((container) => ({ container, end: container.stop(graceSeconds) }));
    const served = ends.filter(({ container }) => this.#containers.includes(container));
    let before: Promise<unknown> = Promise.all(served.map(({ end }) => end));
    for (const sidecar of sidecars) before = Promise.all([before, sidecar.stop(graceSeconds, before)]);
    await Promise.all([before, ...ends.map(({ end }) => end)]);
  }

  #gone = false;

  /** Makes the volumes, and waits for missing ConfigMaps and Secrets; false when stopped meanwhile. */
  async #makeVolumes(): Promise<boolean> {
    mkdirSync(this.#folder, { recursive: true });
    while (!this.#stopped) {
      try {
        makeVolumes(this.#registry, this.#pod, this.#folder);
        return true;
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        this.#registry.event(this.#pod, 'Warning', 'FailedMount', error.message);
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
    return false;
  }

  #now(): KubeObject {
    const { namespace, name } = this.#pod.metadata;
    const stored = this.#registry.find('pods', namespace, name) ?? this.#pod;
    const ip = this.sandbox?.ip;
    return { ...stored, status: { ...stored.status, podIP: ip, hostIP: '10.244.0.1' } };
  }

  /** Writes the pod's status. */
  #tell(): void {
    const state = {
      ip: this.sandbox?.ip,
      inits: this.#inits.map(({ status }) => structuredClone(status)),
      containers: this.#containers.map(({ status }) => structuredClone(status)),
      ephemeral: this.#ephemeral.map(({ status }) => structuredClone(status)),
    };
    this.#registry.modify('pods', this.#pod, (pod) => Object.assign(pod, { status: podStatus(pod, state) }), {
      subresource: 'status',
    });
  }
}

/** The content of a pod's /etc/hosts. */
function formatHosts({ metadata, spec, status }: KubeObject): string {
  return `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n${status.podIP}\t${spec.hostname ?? metadata.name}\n`;
}

/** The next address of 10.244.0.0/16; none is given twice. */
function nextIP(): string {
  const number = ++lastIP;
  return `10.244.${number >> 8}.${number & 255}`;
}

let lastIP = 1;
