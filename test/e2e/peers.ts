import assert from 'node:assert/strict';
import type { Flow } from '../../scripts/lib/flow/flow.ts';
import { execute } from '../execute.ts';
import { bundlePeers } from '../peers/bundle.ts';
import { type AppOptions, app, nodeContainer } from './manifests.ts';
import type { Namespace } from './namespace.ts';

/**
 * An app that speaks everything: beside the sample app, in containers of their own, real servers of gRPC, WebSocket,
 * server-sent events, TLS and plain TCP; and their clients, in a pod.
 */

/** The Service's ports: what is spoken where. The last says by its name that the server speaks first. */
export const PORTS = [
  { name: 'http', port: 80, targetPort: 'http' },
  { name: 'web', port: 81, targetPort: 8081 },
  { name: 'https', port: 443, targetPort: 8443 },
  { name: 'grpc', port: 50051, targetPort: 50051 },
  { name: 'grpcs', port: 50052, targetPort: 50052 },
  { name: 'lines', port: 9000, targetPort: 9000 },
  { name: 'smtp-mail', port: 25, targetPort: 9001 },
];

interface PodTemplate {
  metadata: { labels: Record<string, string> };
  spec: { containers: object[]; initContainers?: object[]; volumes: object[]; restartPolicy?: string };
}
export interface Workload {
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  spec: { template: PodTemplate; [more: string]: unknown };
}

/** Puts the peers' code into a namespace, and a pod in which their clients are started. */
export async function bringPeers(shop: Namespace): Promise<void> {
  const data = await bundlePeers();
  await shop.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'peers' }, data });
  const command = ['node', '-e', 'setInterval(() => {}, 1e6)'];
  await shop.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'asker' },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [nodeContainer('asker', command, {}, [PEERS_MOUNT])],
      volumes: [PEERS_VOLUME],
    },
  });
  await shop.kubectl('wait', 'pod/asker', '--for=condition=Ready', '--timeout=120s');
}

const PEERS_MOUNT = { name: 'peers', mountPath: '/peers' };
const PEERS_VOLUME = { name: 'peers', configMap: { name: 'peers' } };
const TLS_MOUNT = { name: 'tls', mountPath: '/tls' };

/** The Service of an app that speaks everything, with a certificate for its address, in the Secret NAME-tls. */
export async function everythingService(
  shop: Namespace,
  name: string,
  selector: Record<string, string> = { app: name },
): Promise<void> {
  await shop.service(name, PORTS, { selector });
  const ip = await shop.kubectl('get', 'service', name, '-o', 'jsonpath={.spec.clusterIP}');
  await shop.writeInto('asker', `/tmp/${name}.pem`, await shop.certificate(`${name}-tls`, ip));
}

/** A workload of the app that speaks everything, as app() makes one. */
export function everything(options: AppOptions & { nativeSidecar?: boolean }): Workload {
  const { nativeSidecar, ...more } = options;
  const workload = app({ env: { DRAIN_MS: '8000' }, replicas: 2, ...more }) as Workload;
  const { spec } = workload.spec.template;
  const tls = { TLS_KEY: '/tls/tls.key', TLS_CERT: '/tls/tls.crt' };
  const serve = (name: string, env: Record<string, string>) =>
    `Object.assign(process.env, ${JSON.stringify(env)}); await import('/peers/app-${name}.mjs');`;
  const peers = (name: string, ...lines: string[]) => {
    const command = ['node', '--input-type=module', '-e', lines.join('\n')];
    return nodeContainer(name, command, tls, [PEERS_MOUNT, TLS_MOUNT]);
  };
  const web = serve('web', { PORT: '8081', TLS_PORT: '8443' });
  const grpc = serve('grpc', { PORT: '50051', TLS_PORT: '50052' });
  const lines = serve('tcp', { PORT: '9000', GREETING_PORT: '9001' });
  // Each is a process: as few as there can be.
  if (nativeSidecar) spec.initContainers = [{ ...peers('lines', lines), restartPolicy: 'Always' }];
  spec.containers.push(peers('peers', web, grpc, ...(nativeSidecar ? [] : [lines])));
  spec.volumes.push(PEERS_VOLUME, { name: 'tls', secret: { secretName: `${options.name}-tls` } });
  return workload;
}

interface Outcome {
  ok: boolean;
  error?: string;
  messages: string[];
  status?: number;
  trailers?: Record<string, unknown>;
}

const WEB = ['1', '2', '3'];
const EXCHANGES: {
  what: string;
  peer: string;
  scheme: string;
  port: number;
  path?: string;
  mode: string;
  /** What the client must have heard. */
  hears: Partial<Outcome>;
  /** Whether a flow shows what was sent, and what came back. */
  shows(flow: Flow): boolean;
}[] = [
  ...(['http', 'https'] as const).flatMap((scheme) => {
    const port = scheme === 'http' ? 81 : 443;
    const hasScheme = (flow: Flow, path: string) =>
      flow.request?.scheme === scheme && flow.request.path.startsWith(path);
    return [
      {
        ...{ what: `server-sent events in ${scheme}`, peer: 'web', scheme, port, mode: 'sse' },
        hears: { messages: WEB },
        shows: (flow: Flow) =>
          hasScheme(flow, '/events?') && text(flow.response?.content) === 'data: 1\n\ndata: 2\n\ndata: 3\n\n',
      },
      {
        ...{ what: `a WebSocket in ${scheme}`, peer: 'web', scheme, port, path: '/socket', mode: 'ws' },
        hears: { messages: WEB.map((n) => `re: ${n}`) },
        shows: (flow: Flow) =>
          hasScheme(flow, '/socket') &&
          flow.websocket?.messages.map(({ content }) => text(content)).join() === '1,re: 1,2,re: 2,3,re: 3',
      },
    ];
  }),
  {
    ...{ what: 'https', peer: 'web', scheme: 'https', port: 443, path: '/secret', mode: 'get' },
    hears: { status: 200 },
    shows: ({ request, response }) =>
      request?.scheme === 'https' && request.path === '/secret' && response?.status === 200,
  },
  ...(['http', 'https'] as const).flatMap((scheme) => {
    const port = scheme === 'http' ? 50051 : 50052;
    const isCall = (flow: Flow, name: string, status: string) =>
      flow.request?.scheme === scheme &&
      flow.request.path === `/mittens.test.Peer/${name}` &&
      [...(flow.response?.trailers ?? []), ...(flow.response?.headers ?? [])].some(
        ([name, value]) => name === 'grpc-status' && value === status,
      );
    const call = (mode: string, name: string, messages: string[], sent: string, status = '0') => ({
      ...{ what: `gRPC, ${mode}, in ${scheme}`, peer: 'grpc', scheme, port, mode },
      hears: { messages, status: Number(status) },
      shows: (flow: Flow) =>
        isCall(flow, name, status) &&
        text(flow.request?.content).includes(sent) &&
        messages.every((message) => text(flow.response?.content).includes(message.split(' ')[0] ?? '')),
    });
    const bidi = call('bidi', 'Talk', ['re: 1', 're: 2', 're: 3'], '3');
    if (scheme === 'https') return [bidi];
    return [
      bidi,
      call('unary', 'Echo', ['hello'], 'hello'),
      call('server', 'Count', ['counting 1', 'counting 2', 'counting 3'], 'counting-'),
      call('client', 'Collect', ['1,2,3'], '3'),
      call('error', 'Fail', [], 'hello', '3'),
    ];
  }),
  {
    ...{ what: 'TCP', peer: 'tcp', scheme: 'tcp', port: 9000, mode: 'client-first' },
    hears: { messages: ['250 line 1', '250 line 2', '250 line 3', '221 bye'] },
    shows: (flow) => flow.type === 'tcp' && said(flow, '').startsWith('line 1\r\n250 line 1\r\n'),
  },
  {
    ...{ what: 'TCP, the server first', peer: 'tcp', scheme: 'tcp', port: 25, mode: 'server-first' },
    hears: {
      messages: ['220 mittens at your service', '250 line 1', '250 line 2', '250 line 3', '221 bye'],
    },
    shows: (flow) =>
      flow.type === 'tcp' && said(flow, '').startsWith('220 mittens at your service\r\nline 1'),
  },
];

function text(content: Buffer | null | undefined): string {
  return content?.toString('latin1') ?? '';
}

function said({ messages }: Flow, between: string): string {
  return messages.map(({ content }) => text(content)).join(between);
}

/** Runs each client to its end in one go: what it says is a line. */
const ASK_ALL = `
while [ $# -gt 0 ]; do
  TLS_CA="$0" node "/peers/ask-$1.mjs" "$2" "$3"
  shift 3
done
`;

/** Speaks everything with a Service, by clients that verify its certificate, and asserts what they heard. */
export async function speakEverything(shop: Namespace, name: string): Promise<void> {
  const ip = await shop.kubectl('get', 'service', name, '-o', 'jsonpath={.spec.clusterIP}');
  const asked = EXCHANGES.flatMap(({ peer, scheme, port, path = '/', mode }) => [
    ...[peer, `${scheme}://${ip}:${port}${path}`, mode],
  ]);
  const exec = ['exec', 'asker', '--', 'sh', '-c', ASK_ALL, `/tmp/${name}.pem`, ...asked];
  const { stdout, stderr } = await execute('kubectl', ['-n', shop.name, ...exec]);
  const outcomes = stdout.trim().split('\n');
  for (const [index, { what, hears }] of EXCHANGES.entries()) {
    const outcome = JSON.parse(outcomes[index] || '{}') as Outcome;
    assert.deepEqual(outcome.error, undefined, `${what}: ${outcome.error} ${stderr}`);
    for (const [key, value] of Object.entries(hears))
      assert.deepEqual(outcome[key as keyof Outcome], value, `${what}: ${key}`);
  }
}

/** Asserts that flows show everything that was spoken. */
export function showsEverything(flows: Flow[]): void {
  assertShown(flows, EXCHANGES);
}

/** Asserts that flows show everything that was spoken without TLS. */
export function showsPlaintext(flows: Flow[]): void {
  assertShown(
    flows,
    EXCHANGES.filter(({ scheme }) => scheme !== 'https'),
  );
}

function assertShown(flows: Flow[], exchanges: typeof EXCHANGES): void {
  for (const { what, shows } of exchanges)
    assert.ok(
      flows.some(shows),
      `no flow shows ${what}:\n${flows.filter(isNoLoad).map(describeFlow).join('\n')}`,
    );
}

function isNoLoad({ request }: Flow): boolean {
  return !request?.path.startsWith('/load');
}

function describeFlow(flow: Flow): string {
  const { type, request, response, error } = flow;
  if (!request) return `${type} ${JSON.stringify(said(flow, '|'))}`;
  const asked = `${request.scheme} ${request.path} ${JSON.stringify(text(request.content).slice(0, 40))}`;
  const more = [...(response?.headers ?? []), ...(response?.trailers ?? [])].filter(([name]) =>
    name.startsWith('grpc'),
  );
  return `${asked} ${response?.status} ${JSON.stringify(text(response?.content).slice(0, 40))} ${more} ${error?.message ?? ''}`;
}
