import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, get, type IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { generate } from 'selfsigned';
import { servePortForward } from '../cluster/port-forward.ts';
import { serveRunning } from '../cluster/remote-command.ts';
import type { Running } from '../cluster/running.ts';

const KUBECTL = process.env.KUBECTL ?? 'kubectl';
const TOKEN = 'a-token';
const folder = mkdtempSync(join(tmpdir(), 'cluster-streams-'));
const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'x', namespace: 'default' },
  spec: { containers: [{ name: 'main', image: 'none', stdin: true, tty: true }] },
  status: { phase: 'Running' },
};
const ANSWERS: Record<string, object> = {
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
  '/api/v1': {
    kind: 'APIResourceList',
    groupVersion: 'v1',
    resources: [{ name: 'pods', singularName: 'pod', namespaced: true, kind: 'Pod', verbs: ['get'] }],
  },
  '/api/v1/namespaces/default/pods/x': POD,
};

/** What the server has been asked for and has not let go of. */
let held = 0;
let server: Server;

before(async () => {
  const pems = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  server = createServer({ key: pems.private, cert: pems.cert }, (request, response) => {
    const allowed = request.headers.authorization === `Bearer ${TOKEN}`;
    const answer = ANSWERS[request.url?.split('?')[0] ?? ''];
    response.writeHead(allowed && answer ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  });
  server.on('upgrade', (request, socket, head) => {
    serve(request, socket, head).catch((error: Error) => {
      socket.end(
        `HTTP/1.1 501 Not Implemented\r\nContent-Length: ${error.message.length}\r\n\r\n${error.message}`,
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [
      {
        name: 'c',
        cluster: { server: url, 'certificate-authority-data': Buffer.from(pems.cert).toString('base64') },
      },
    ],
    users: [{ name: 'u', user: { token: TOKEN } }],
  };
  writeFileSync(join(folder, 'config'), JSON.stringify(config));
});

after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

async function serve(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'https://x');
  if (pathname.endsWith('/portforward')) return await servePortForward(request, socket, head, dial);
  const wants = (key: string) => searchParams.get(key) === 'true';
  const wanted = {
    stdin: wants('stdin'),
    stdout: wants('stdout'),
    stderr: wants('stderr'),
    tty: wants('tty'),
  };
  const command = pathname.endsWith('/attach') ? ['sh', '-c', 'cat; exit 3'] : searchParams.getAll('command');
  await serveRunning(request, socket, head, start(command, wanted.stdin, wanted.tty), wanted);
}

function start(command: string[], stdin: boolean, tty: boolean): Running {
  const [name = '', ...args] = command;
  const child = spawn(name, args);
  held++;
  child.stdin.on('error', () => undefined);
  if (!stdin) child.stdin.end();
  return {
    stdin: stdin ? child.stdin : undefined,
    stdout: child.stdout,
    stderr: tty ? undefined : child.stderr,
    // There is no terminal here: a process that reads its input is told in words.
    resize: (columns, rows) => void child.stdin.write(`${columns}x${rows}\n`),
    exited: once(child, 'close').then(([code]) => code ?? 137),
    release: () => {
      held--;
      child.kill('SIGKILL');
    },
  };
}

async function dial(port: number): Promise<Duplex> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect').catch(() => {
    throw new Error(
      `failed to connect to localhost:${port}: dial tcp4 127.0.0.1:${port}: connect: connection refused`,
    );
  });
  return socket;
}

// -- kubectl

const WEB_SOCKET = {};
const SPDY = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' };

function kubectl(protocol: object, ...args: string[]): ChildProcess {
  const env = { ...process.env, KUBECONFIG: join(folder, 'config'), HOME: folder, ...protocol };
  return spawn(KUBECTL, args, { env });
}

async function run(protocol: object, input: Buffer | string, ...args: string[]) {
  const child = kubectl(protocol, ...args);
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    buffer(child.stdout as never),
    text(child.stderr as never),
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
}

const shell = (script: string) => ['x', '--', 'sh', '-c', script];
const hash = (data: Buffer) => createHash('sha256').update(data).digest('hex');

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 5000;
  while (!condition()) {
    assert.ok(Date.now() < end, 'waited too long');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

for (const [name, protocol] of Object.entries({ WebSocket: WEB_SOCKET, SPDY })) {
  describe(`exec over ${name}`, { concurrency: 2 }, () => {
    test('keeps stdout and stderr apart, and ends with the exit code', async () => {
      const { code, stdout, stderr } = await run(
        protocol,
        '',
        'exec',
        ...shell('echo out; echo err >&2; exit 3'),
      );
      assert.equal(stdout.toString(), 'out\n');
      assert.equal(stderr, 'err\ncommand terminated with exit code 3\n');
      assert.equal(code, 3);
    });

    test('succeeds when the process does, though it never reads its input', async () => {
      const { code, stdout } = await run(protocol, 'x'.repeat(1 << 20), 'exec', '-i', ...shell('echo done'));
      assert.equal(stdout.toString(), 'done\n');
      assert.equal(code, 0);
    });

    test('tells the process the end of its input', async () => {
      const { stdout, code } = await run(protocol, 'a\nb\n', 'exec', '-i', ...shell('wc -l; exit 4'));
      assert.equal(Number(stdout), 2);
      assert.equal(code, 4);
    });

    test('carries 50 MB both ways', async () => {
      const data = randomBytes(50e6);
      const { stdout, stderr, code } = await run(protocol, data, 'exec', '-i', 'x', '--', 'cat');
      assert.equal(stderr, '');
      assert.equal(hash(stdout), hash(data));
      assert.equal(code, 0);
    });

    test('lets go of the process when the client is killed', async () => {
      await until(() => held === 0);
      const child = kubectl(protocol, 'exec', '-i', ...shell('echo up; exec sleep 100'));
      await once(child.stdout as never, 'data');
      assert.equal(held, 1);
      child.kill('SIGKILL');
      await until(() => held === 0);
    });
  });
}
void createHttpServer;
void get;
