import { request as http } from 'node:http';
import { request as https } from 'node:https';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Container } from '../containers/container.ts';
import type { ContainerSpec } from '../objects/container-spec.ts';
import type { KubeObject } from '../objects/object.ts';
import { notImplemented } from '../objects/status.ts';

export type ProbeKind = 'Startup' | 'Readiness' | 'Liveness';

export interface ProbeResult {
  ok: boolean;
  /** The failure, as the kubelet's Unhealthy event words it. */
  message: string;
}

/** Runs a container's probe once. */
export async function probe(
  spec: ContainerSpec,
  pod: KubeObject,
  containerSpec: ContainerSpec,
  container: Container,
  kind: ProbeKind = 'Readiness',
): Promise<ProbeResult> {
  const timeout = (spec.timeoutSeconds ?? 1) * 1000;
  const failure = await findFailure(spec, pod.status.podIP, containerSpec, container, timeout);
  return { ok: failure === undefined, message: `${kind} probe failed: ${failure}` };
}

/** The failure; undefined on success. */
async function findFailure(
  { tcpSocket, httpGet, exec, grpc }: ContainerSpec,
  ip: string,
  containerSpec: ContainerSpec,
  container: Container,
  timeout: number,
): Promise<string | undefined> {
  if (grpc) throw notImplemented('gRPC probes');
  if (exec) return await run(container, exec.command, timeout);
  if (tcpSocket) return await open(tcpSocket.host ?? ip, findPort(containerSpec, tcpSocket.port), timeout);
  return await get(httpGet, httpGet.host ?? ip, findPort(containerSpec, httpGet.port), timeout);
}

function findPort({ ports = [] }: ContainerSpec, port: number | string): number {
  if (typeof port === 'number') return port;
  return ports.find(({ name }: { name?: string }) => name === port)?.containerPort ?? Number(port);
}

async function run(container: Container, command: string[], timeout: number): Promise<string | undefined> {
  const running = await container.exec(command, { tty: false, stdin: false });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    running.release();
  }, timeout);
  // The output breaks off when the command is stopped for taking too long.
  const output = Promise.all([text(running.stdout), running.stderr ? text(running.stderr) : '']).catch(
    () => [],
  );
  const code = await running.exited.catch((error: Error) => error.message);
  clearTimeout(timer);
  if (late)
    return `command timed out: ${JSON.stringify(command.join(' '))} timed out after ${timeout / 1000}s`;
  if (typeof code === 'string') return code;
  return code === 0 ? undefined : (await output).join('');
}

function open(host: string, port: number, timeout: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (failure?: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(failure);
    };
    const timer = setTimeout(() => done(`dial tcp ${host}:${port}: i/o timeout`), timeout);
    socket
      .on('connect', () => done())
      .on('error', (error) => done(`dial tcp ${host}:${port}: ${toGoError(error)}`));
  });
}

function get(
  { scheme = 'HTTP', path = '/', httpHeaders = [] }: ContainerSpec,
  host: string,
  port: number,
  timeout: number,
): Promise<string | undefined> {
  const url = `${scheme.toLowerCase()}://${host}:${port}${path.startsWith('/') ? path : `/${path}`}`;
  const headers: Record<string, string> = {
    'User-Agent': 'kube-probe/1.33',
    Accept: '*/*',
    Connection: 'close',
  };
  for (const { name, value } of httpHeaders) headers[name] = value;
  const ask = scheme === 'HTTPS' ? https : http;
  return new Promise((resolve) => {
    const request = ask(url, { headers, agent: false, ...{ rejectUnauthorized: false } }, (response) => {
      const { statusCode = 0 } = response;
      done(
        statusCode >= 200 && statusCode < 400
          ? undefined
          : `HTTP probe failed with statuscode: ${statusCode}`,
      );
    });
    const done = (failure?: string) => {
      clearTimeout(timer);
      request.destroy();
      resolve(failure);
    };
    const late = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
    const timer = setTimeout(() => done(`Get "${url}": ${late}`), timeout);
    request.on('error', (error) => done(`Get "${url}": ${dialed(error) + toGoError(error)}`)).end();
  });

  function dialed(error: Error & { syscall?: string }): string {
    return error.syscall === 'connect' ? `dial tcp ${host}:${port}: ` : '';
  }
}

/** Words Node's errors as Go does. */
function toGoError(error: Error & { code?: string }): string {
  if (error.code === 'ECONNREFUSED') return 'connect: connection refused';
  if (error.code === 'EHOSTUNREACH') return 'connect: no route to host';
  if (error.code === 'ECONNRESET')
    return /hang up/.test(error.message) ? 'EOF' : 'read: connection reset by peer';
  return error.message;
}
