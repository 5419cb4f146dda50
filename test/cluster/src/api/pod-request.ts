import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PodContainer } from '../node/pod-container.ts';
import type { KubeObject } from '../objects/object.ts';
import { badRequest, notFound, notImplemented, StatusError } from '../objects/status.ts';
import type { Registry } from '../store/registry.ts';
import { servePortForward } from '../streams/port-forward.ts';
import { serveRunning } from '../streams/remote-command.ts';
import type { Backend } from './backend.ts';
import type { Call } from './rest.ts';
import type { Target } from './target.ts';

/** Answers `kubectl logs`. */
export async function serveLog(
  { registry, kubelet }: Backend,
  call: Call,
  response: ServerResponse,
): Promise<void> {
  const pod = findPod(registry, call.target);
  const name = containerName(pod, call.query.get('container'));
  const container = kubelet.container(pod, name);
  const previous = call.query.get('previous') === 'true';
  const log = previous ? container?.previousLog : container?.log;
  if (!log && !previous && !pod.spec.nodeName) {
    response.end();
    return;
  }
  if (!log) throw toLogError(pod, name, previous, container);
  const number = (key: string) => (call.query.has(key) ? Number(call.query.get(key)) : undefined);
  const sinceSeconds = number('sinceSeconds');
  const sinceTime = call.query.get('sinceTime');
  const since = sinceTime ? new Date(sinceTime) : sinceSeconds && new Date(Date.now() - sinceSeconds * 1000);
  const lines = log.read({
    tail: number('tailLines'),
    since: since || undefined,
    timestamps: call.query.get('timestamps') === 'true',
    limitBytes: number('limitBytes'),
    follow: call.query.get('follow') === 'true',
  });
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  await pipeline(lines, response).catch(() => undefined);
}

function toLogError(pod: KubeObject, name: string, previous: boolean, container?: PodContainer): StatusError {
  if (previous)
    return badRequest(`previous terminated container "${name}" in pod "${pod.metadata.name}" not found`);
  const { reason = 'ContainerCreating', message } = container?.status.state.waiting ?? {};
  const why = /^(ErrImage|ImagePull|InvalidImage)/.test(reason)
    ? `trying and failing to pull image`
    : reason + (message ? `: ${message}` : '');
  return badRequest(`container "${name}" in pod "${pod.metadata.name}" is waiting to start: ${why}`);
}

/** Answers `kubectl exec`, `attach` and `port-forward`, which upgrade the connection. */
export async function serveUpgrade(
  { registry, kubelet }: Backend,
  target: Target,
  query: URLSearchParams,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const pod = findPod(registry, target);
  if (target.subresource === 'portforward') {
    if (pod.status?.phase !== 'Running')
      throw badRequest(`pod is not running. Current status=${pod.status?.phase}`);
    return await servePortForward(request, socket, head, (port) => kubelet.dial(pod, port));
  }
  const name = containerName(pod, query.get('container'));
  const { running } = kubelet.container(pod, name) ?? {};
  if (!running) throw new StatusError(500, 'InternalError', `container not found ("${name}")`);
  const wants = (key: string) => query.get(key) === 'true';
  const wanted = {
    stdin: wants('stdin'),
    stdout: wants('stdout'),
    stderr: wants('stderr'),
    tty: wants('tty'),
  };
  if (target.subresource === 'attach')
    return await serveRunning(request, socket, head, running.attach(), wanted);
  if (target.subresource !== 'exec') throw notImplemented(`pods/${target.subresource}`);
  const command = query.getAll('command');
  if (command.length === 0) throw badRequest('you must specify at least 1 command for the container');
  await serveRunning(request, socket, head, await running.exec(command, wanted), wanted);
}

function findPod(registry: Registry, { resource, namespace, name = '' }: Target): KubeObject {
  if (resource.plural !== 'pods') throw notImplemented(`streams of ${resource.plural}`);
  const pod = registry.find('pods', namespace, name);
  if (!pod) throw notFound(resource, name);
  return pod;
}

function containerName(pod: KubeObject, asked: string | null): string {
  const inits = (pod.spec.initContainers ?? []).map(({ name }: { name: string }) => name);
  const names = pod.spec.containers.map(({ name }: { name: string }) => name);
  const ephemeral = (pod.spec.ephemeralContainers ?? []).map(({ name }: { name: string }) => name);
  if (asked && [...inits, ...names, ...ephemeral].includes(asked)) return asked;
  if (asked) throw badRequest(`container ${asked} is not valid for pod ${pod.metadata.name}`);
  if (names.length === 1) return names[0];
  const choice =
    inits.length > 0
      ? `[${names.join(' ')}] or one of the init containers: [${inits.join(' ')}]`
      : `[${names.join(' ')}]`;
  throw badRequest(
    `a container name must be specified for pod ${pod.metadata.name}, choose one of: ${choice}`,
  );
}
