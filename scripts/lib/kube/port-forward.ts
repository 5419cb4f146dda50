import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kubectl, KubectlError } from './kubectl.ts';

/** The time until a lost connection is opened again, in ms. */
const AGAIN_MS = 500;

/** A local port that `kubectl port-forward` connects to a port of a pod, for as long as the pod exists. */
export class PortForward {
  readonly #kubectl: Kubectl;
  readonly #pod: string;
  readonly #to: number;
  #child: ReturnType<Kubectl['follow']> | undefined;
  #closed: Promise<unknown> = Promise.resolve();
  #stopped = false;
  #localPort = 0;

  /** @param to the pod's port. */
  constructor(kubectl: Kubectl, pod: string, to: number) {
    this.#kubectl = kubectl;
    this.#pod = pod;
    this.#to = to;
  }

  /** The local port, after start(). */
  get localPort(): number {
    return this.#localPort;
  }

  /**
   * Opens the local port.
   * @param wanted the local port to try first.
   * @returns the local port.
   * @throws KubectlError when kubectl can't forward.
   */
  async start(wanted?: number): Promise<number> {
    const port = await this.#open(wanted).catch(async (error: unknown) => {
      if (wanted === undefined) throw error;
      return await this.#open(undefined);
    });
    this.#localPort = port;
    void this.#keep(port);
    return port;
  }

  stop(): void {
    this.#stopped = true;
    this.#child?.kill();
  }

  async #keep(port: number): Promise<void> {
    for (;;) {
      await this.#closed;
      await sleep(AGAIN_MS);
      if (this.#stopped) return;
      await this.#open(port).catch(() => undefined);
    }
  }

  /** @returns the local port, once it is open. */
  async #open(local: number | undefined): Promise<number> {
    const ports = `${local ?? ''}:${this.#to}`;
    const child = this.#kubectl.follow(['port-forward', `pod/${this.#pod}`, ports, '--address=127.0.0.1']);
    this.#child = child;
    this.#closed = once(child, 'close').catch(() => undefined);
    let said = '';
    let wrong = '';
    child.stderr.on('data', (data: Buffer) => {
      wrong = (wrong + data.toString()).slice(0, 2000);
    });
    return await new Promise((resolve, reject) => {
      child.stdout.on('data', (data: Buffer) => {
        said = (said + data.toString()).slice(-2000);
        const [, port] = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(said) ?? [];
        if (port) resolve(Number(port));
      });
      child.once('close', () => reject(new KubectlError(wrong)));
    });
  }
}
