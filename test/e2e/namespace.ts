import { randomBytes } from 'node:crypto';
import { generate } from 'selfsigned';
import { filesBeside } from '../files.ts';
import { type Answer, Client } from './client.ts';
import { kubectl } from './cluster.ts';
import { type AppOptions, app, pod } from './manifests.ts';
import { until } from './until.ts';

/**
 * A namespace of a test's own on whatever cluster KUBECONFIG names, with the sample app's code in it.
 * Everything goes by kubectl, and traffic by pods inside, so that any cluster will do.
 */

export class Namespace {
  readonly name = `mittens-test-${randomBytes(3).toString('hex')}`;
  readonly #level: 'restricted' | 'privileged';
  readonly #client = new Client(this.name);
  readonly #addresses = new Map<string, string>();

  /** @param level the Pod Security Standard, for tests with pods that are not ours and keep to none. */
  constructor(level: 'restricted' | 'privileged' = 'restricted') {
    this.#level = level;
  }

  async create(): Promise<void> {
    const labels = { 'pod-security.kubernetes.io/enforce': this.#level };
    await this.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.name, labels } });
    const files = ['app.mjs', 'ask.mjs', 'load.mjs', '../patient-agent.mjs'];
    await this.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'code' },
      data: filesBeside(import.meta.url, files),
    });
    await this.apply(pod('client', ['node', '-e', 'setInterval(() => {}, 1e6)']));
    await this.kubectl('wait', 'pod/client', '--for=condition=Ready', '--timeout=120s');
  }

  async delete(): Promise<void> {
    this.#client.close();
    await kubectl(['delete', 'namespace', this.name, '--wait=false']);
  }

  async kubectl(...args: string[]): Promise<string> {
    return await kubectl(['-n', this.name, ...args]);
  }

  async get<T = Record<string, unknown>>(...args: string[]): Promise<T> {
    return JSON.parse(await this.kubectl('get', ...args, '-o', 'json')) as T;
  }

  async apply(...objects: object[]): Promise<void> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    await kubectl(['-n', this.name, 'create', '-f', '-'], JSON.stringify(list));
  }

  /** Makes a workload of the sample app and waits for it. */
  async app(options: AppOptions): Promise<void> {
    await this.apply(app(options));
    const { name, kind = 'Deployment', replicas } = options;
    if (replicas !== 0)
      await this.kubectl('rollout', 'status', `${kind.toLowerCase()}/${name}`, '--timeout=120s');
  }

  async service(name: string, ports: object[], spec: object = {}): Promise<void> {
    await this.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: { app: name }, ports, ...spec },
    });
  }

  /** Makes a Secret with a certificate for an address, and returns that as PEM: it is its own authority. */
  async certificate(secret: string, ip: string): Promise<string> {
    const extensions = [{ name: 'subjectAltName' as const, altNames: [{ type: 7 as const, ip }] }];
    const pems = await generate([{ name: 'commonName', value: 'app' }], { extensions });
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    await this.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: secret },
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': base64(pems.cert), 'tls.key': base64(pems.private) },
    });
    return pems.cert;
  }

  async url(service: string, port = 80): Promise<string> {
    const address = this.#addresses.get(service) ?? (await this.#clusterIP(service));
    this.#addresses.set(service, address);
    return `${port === 443 ? 'https' : 'http'}://${address}:${port}`;
  }

  /** Sends one request from inside the cluster, to the host shop.example, and returns its answer. */
  async request(
    service: string,
    path: string,
    options: { port?: number; body?: string } = {},
  ): Promise<Answer> {
    return await this.#client.ask({
      url: `${await this.url(service, options.port)}${path}`,
      body: options.body,
    });
  }

  async #clusterIP(service: string): Promise<string> {
    return await this.kubectl('get', 'service', service, '-o', 'jsonpath={.spec.clusterIP}');
  }

  /** Waits until a Service is answered through a proxy: kube-proxy takes a moment to follow it. */
  async proxied(service: string): Promise<void> {
    await until(`${service} is answered through a proxy`, async () => {
      const { status, body } = await this.request(service, '/warm');
      return status === 200 && JSON.parse(body).proxied;
    });
  }

  /** Writes a file in a pod. */
  async writeInto(pod: string, path: string, text: string): Promise<void> {
    await kubectl(['-n', this.name, 'exec', '-i', pod, '--', 'sh', '-c', 'cat >"$0"', path], text);
  }

  /** Waits until a Service answers: kube-proxy takes a moment to follow it. */
  async answers(service: string): Promise<void> {
    await until(`${service} answers`, async () => (await this.request(service, '/')).status === 200);
  }

  /** Puts a steady load on a Service, of so many requests a second; stop() says how it went. */
  async load(service: string, perSecond = 50): Promise<{ stop(): Promise<Load> }> {
    const name = `load-${randomBytes(2).toString('hex')}`;
    await this.apply(
      pod(name, ['node', '/code/load.mjs', `${await this.url(service)}/load`, `${perSecond}`]),
    );
    await this.kubectl('wait', `pod/${name}`, '--for=condition=Ready', '--timeout=120s');
    const lines = async () => (await this.kubectl('logs', name)).trim().split('\n');
    await until(`${service} answers the load`, async () => (await lines())[0] === 'sending');
    return {
      stop: async () => {
        await this.kubectl('exec', name, '--', 'touch', '/tmp/stop');
        return JSON.parse(await until('the load says how it went', async () => (await lines())[1]));
      },
    };
  }

  /**
   * What invariant I1 speaks of: spec, labels and annotations, less what the controllers count themselves, and the
   * ephemeral containers of pods, which nobody can take out.
   */
  async snapshot(...objects: string[]): Promise<object[]> {
    return await Promise.all(
      objects.map(async (object) => {
        const { metadata, spec: all } = await this.get<{ metadata: Meta; spec: PodSpec }>(object);
        const { ephemeralContainers: _, ...spec } = all;
        const annotations = Object.entries(metadata.annotations ?? {}).filter(
          ([key]) => !COUNTERS.includes(key),
        );
        return { object, spec, labels: metadata.labels, annotations };
      }),
    );
  }

  /** Waits until no pod has a proxy any more, not even one that is on its way out. */
  async proxiesGone(): Promise<void> {
    await until('no pod has a proxy', async () => {
      const { items } = await this.get<{ items: { spec: PodSpec }[] }>('pods');
      const names = items.flatMap(({ spec }) => spec.containers.map(({ name }) => name));
      return !names.some((name) => name.startsWith('mittens'));
    });
  }

  /** The names of the containers of a workload's pods. */
  async containers(name: string, kind = 'deployment'): Promise<string[]> {
    const { spec } = await this.get<{ spec: { template: { spec: PodSpec } } }>(`${kind}/${name}`);
    return spec.template.spec.containers.map(({ name }) => name);
  }
}

/** Annotations in which the API server and the controllers count how often a workload was changed. */
const COUNTERS = ['deployment.kubernetes.io/revision', 'deprecated.daemonset.template.generation'];

interface Meta {
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** How a load went: how many requests were sent, those that failed, and the numbers of those that a proxy passed on. */
export interface Load {
  sent: number;
  failed: object[];
  proxied: number[];
}

interface PodSpec {
  containers: { name: string }[];
  ephemeralContainers?: object[];
}
