import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { badRequest, forbidden, notImplemented, StatusError } from '../objects/status.ts';
import type { Registry } from '../store/registry.ts';
import { formatDenial, identifyUser, isAllowed, type User } from './access.ts';
import type { Backend } from './backend.ts';
import { discover } from './discovery.ts';
import { type Fault, Faults } from './fault.ts';
import { serveLog, serveUpgrade } from './pod-request.ts';
import { decodeProtobuf } from './protobuf.ts';
import * as rest from './rest.ts';
import { review } from './review.ts';
import { parseTarget, type Target } from './target.ts';
import { watch } from './watch.ts';

/** The API server: HTTPS in front of the registry and the kubelet. */
export function apiServer(backend: Backend, certificate: { key: string; cert: string }): Server {
  const faults = new Faults();
  const server = createServer({ ...certificate, ALPNProtocols: ['http/1.1'] }, (request, response) => {
    serve(backend, faults, request, response).catch((error: unknown) => sendError(response, error));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    upgrade(backend, faults, request, socket, head).catch((error: unknown) =>
      sendUpgradeError(socket, error),
    );
  });
  // A watch has no time limit of its own.
  server.requestTimeout = 0;
  return server;
}

async function serve(
  backend: Backend,
  faults: Faults,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://pocket');
  const user = identifyUser(request, backend.token);
  const body = await read(request);
  if (url.pathname === '/pocket/faults') return setFaults(faults, request, response, body);
  const fault = faults.find(request.method ?? '', url.pathname);
  if (await applyFault(fault, response)) return;
  if (answerAboutServer(backend, user, url.pathname, body, response)) return;
  const target = parseTarget(url.pathname);
  if (!target) throw unknownPath();
  authorize(backend.registry, user, request, url, target);
  const call = { target, query: url.searchParams, body, ...readContentType(request) };
  if (target.subresource === 'log') return await serveLog(backend, call, response);
  if (isWatch(request, url)) return startWatch(backend, call, response, fault);
  send(response, dispatch(backend.registry, request.method ?? '', call));
}

/** Answers requests about health, discovery and permissions; false for requests about objects. */
function answerAboutServer(
  { registry }: Backend,
  user: User,
  path: string,
  body: string,
  response: ServerResponse,
): boolean {
  const known = discover(path);
  const answer = known ? { code: 200, body: known } : review(registry, user, path, body);
  if (answer) send(response, answer);
  // OpenAPI 2 is an empty document: kubectl reads it for Lists, finds nothing, and lets the server validate.
  else if (path === '/openapi/v2') response.end();
  else if (['/healthz', '/livez', '/readyz'].includes(path)) response.end('ok');
  else return false;
  return true;
}

function dispatch(registry: Registry, method: string, call: rest.Call): rest.Answer {
  const { resource, name, subresource } = call.target;
  if (subresource && !resource.subresources.includes(subresource as 'status')) {
    if (/^(exec|attach|portforward)$/.test(subresource)) throw badRequest('Upgrade request required');
    // Kubernetes does not have these either.
    if (subresource === 'scale' || subresource === 'status') throw unknownPath();
    throw notImplemented(`${resource.plural}/${subresource}`);
  }
  if (subresource === 'eviction') {
    if (method === 'POST' && name) return rest.evict(registry, call);
    throw notAllowed();
  }
  if (method === 'GET') return name ? rest.get(registry, call) : rest.list(registry, call);
  if (method === 'POST' && !name) return rest.create(registry, call);
  if (method === 'PUT' && name) return rest.replace(registry, call);
  if (method === 'PATCH' && name) return rest.patch(registry, call);
  if (method === 'DELETE') return name ? rest.remove(registry, call) : rest.removeAll(registry, call);
  throw notAllowed();
}

function notAllowed(): StatusError {
  const words = 'the server does not allow this method on the requested resource';
  return new StatusError(405, 'MethodNotAllowed', words);
}

function startWatch({ registry }: Backend, call: rest.Call, response: ServerResponse, fault?: Fault): void {
  if (call.query.get('sendInitialEvents')) throw notImplemented('watches that send the initial events');
  const { resource, namespace } = call.target;
  const timeout = call.query.get('timeoutSeconds');
  watch(registry.store, resource, response, {
    namespace,
    test: rest.makeTest(call),
    since: Number(call.query.get('resourceVersion') ?? 0),
    timeoutSeconds: fault?.breakWatchesMs
      ? fault.breakWatchesMs / 1000
      : timeout
        ? Number(timeout)
        : undefined,
    render: (object) =>
      rest.render(call, [object], { resourceVersion: object.metadata.resourceVersion }) ?? object,
  });
}

async function upgrade(
  backend: Backend,
  faults: Faults,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://pocket');
  const user = identifyUser(request, backend.token);
  const fault = faults.find(request.method ?? '', url.pathname);
  if (fault?.cut) socket.destroy();
  if (fault?.status) throw toFaultError(fault.status);
  const target = parseTarget(url.pathname);
  if (!target) throw unknownPath();
  authorize(backend.registry, user, request, url, target);
  await serveUpgrade(backend, target, url.searchParams, request, socket, head);
}

// -- authorization

const VERBS: Record<string, string> = { POST: 'create', PUT: 'update', PATCH: 'patch' };

function authorize(registry: Registry, user: User, request: IncomingMessage, url: URL, target: Target): void {
  const { resource, subresource, namespace, name } = target;
  const verb = findVerb(request, url, name);
  const full = subresource ? `${resource.plural}/${subresource}` : resource.plural;
  // For RBAC a namespace is inside itself.
  const where = resource.plural === 'namespaces' ? name : namespace;
  const attributes = { verb, group: resource.group, resource: full, namespace: where, name };
  if (isAllowed(registry, user, attributes)) return;
  throw forbidden(resource, name ?? '', formatDenial(user, attributes));
}

function findVerb(request: IncomingMessage, url: URL, name: string | undefined): string {
  const { method = 'GET' } = request;
  if (method === 'DELETE') return name ? 'delete' : 'deletecollection';
  if (method !== 'GET') return VERBS[method] ?? method.toLowerCase();
  if (isWatch(request, url)) return 'watch';
  return name ? 'get' : 'list';
}

function isWatch({ method }: IncomingMessage, url: URL): boolean {
  return method === 'GET' && ['true', '1'].includes(url.searchParams.get('watch') ?? '');
}

// -- injected faults

function setFaults(faults: Faults, request: IncomingMessage, response: ServerResponse, body: string): void {
  if (request.method === 'PUT') faults.list = JSON.parse(body);
  send(response, { code: 200, body: faults.list });
}

/** Applies a fault; true when the request is done with that. */
async function applyFault(fault: Fault | undefined, response: ServerResponse): Promise<boolean> {
  if (fault?.delayMs) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
  if (fault?.cut) response.destroy();
  if (fault?.status) throw toFaultError(fault.status);
  return fault?.cut === true;
}

function toFaultError(code: number): StatusError {
  const reason =
    { 429: 'TooManyRequests', 500: 'InternalError', 503: 'ServiceUnavailable' }[code] ?? 'Unknown';
  return new StatusError(code, reason, 'the pocket cluster was told to refuse this');
}

// -- HTTP

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const isProtobuf = /protobuf/.test(request.headers['content-type'] ?? '') && body.length > 0;
  return isProtobuf ? JSON.stringify(decodeProtobuf(body)) : body.toString();
}

function readContentType({ headers }: IncomingMessage): { accept: string; contentType: string } {
  const contentType = (headers['content-type'] ?? 'application/json').split(';')[0] ?? '';
  if (/cbor/.test(contentType)) throw notImplemented(`bodies of type ${contentType}`);
  return { accept: headers.accept ?? '', contentType };
}

function send(response: ServerResponse, { code, body }: rest.Answer): void {
  const { retryAfterSeconds } = (body as { details?: { retryAfterSeconds?: number } }).details ?? {};
  response.writeHead(code, {
    'content-type': 'application/json',
    ...(retryAfterSeconds && { 'retry-after': String(retryAfterSeconds) }),
  });
  response.end(JSON.stringify(body));
}

function unknownPath(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource');
}

function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) response.destroy();
  else send(response, toAnswer(error));
}

function sendUpgradeError(socket: Duplex, error: unknown): void {
  const { code, body } = toAnswer(error);
  const text = JSON.stringify(body);
  const head = `HTTP/1.1 ${code} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n`;
  socket.end(head + text);
}

/** The answer to an error; an unexpected one is a bug of the pocket cluster, and is logged with its stack. */
function toAnswer(error: unknown): rest.Answer {
  if (!(error instanceof StatusError)) console.error('the pocket cluster fails:', error);
  const status =
    error instanceof StatusError
      ? error
      : new StatusError(500, 'InternalError', `the pocket cluster fails: ${(error as Error).stack}`);
  return { code: status.code, body: status.toStatus() };
}
