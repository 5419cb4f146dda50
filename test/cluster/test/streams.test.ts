// Tests the streaming protocols with a real kubectl, against a server that has only streams, and whose containers are
// plain processes of this machine.
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, get, type IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate } from 'selfsigned';
import type { Running } from '../src/containers/running.ts';
import { servePortForward } from '../src/streams/port-forward.ts';
import { serveRunning } from '../src/streams/remote-command.ts';

const directory = mkdtempSync(join(tmpdir(), 'streams-'));
const children = new Set<ChildProcess>();
let server: Server;
const released = new Set<string>();
const protocols: string[] = [];

before(async () => {
  const altNames = [{ type: 7 as const, ip: '127.0.0.1' }];
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'streams' }], {
    keySize: 2048,
    extensions: [{ name: 'subjectAltName', altNames }],
  });
  server = createServer({ key, cert, ALPNProtocols: ['http/1.1'] }, (request, response) => {
    const body = answers[new URL(request.url ?? '', 'https://x').pathname];
    response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 }));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    serve(request, socket, head).catch((error: Error) => socket.end(`HTTP/1.1 501 ${error.message}\r\n\r\n`));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  writeFileSync(join(directory, 'config'), JSON.stringify(kubeconfig(cert)), { mode: 0o600 });
});

after(() => {
  for (const child of children) kill(child);
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

const answers: Record<string, object> = {
  '/version': { major: '1', minor: '33', gitVersion: 'v1.33.0' },
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
  '/api/v1': {
    ...{ kind: 'APIResourceList', groupVersion: 'v1' },
    resources: [{ name: 'pods', singularName: 'pod', namespaced: true, kind: 'Pod', verbs: ['get'] }],
  },
  '/api/v1/namespaces/default/pods/x': {
    ...{ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'x', namespace: 'default' } },
    spec: { containers: [{ name: 'c', image: 'i', stdin: true }] },
    status: { phase: 'Running' },
  },
};

function kubeconfig(certificate: string): object {
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const authority = Buffer.from(certificate).toString('base64');
  return {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'c' },
    clusters: [{ name: 'c', cluster: { server: url, 'certificate-authority-data': authority } }],
    users: [{ name: 'u', user: { token: 'secret' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  };
}

async function serve(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'https://x');
  protocols.push(request.headers.upgrade?.toLowerCase() ?? '');
  if (pathname.endsWith('/portforward')) return await servePortForward(request, socket, head, dial);
  const wants = (name: string) => searchParams.get(name) === 'true';
  const wanted = {
    ...{ stdin: wants('stdin'), stdout: wants('stdout') },
    ...{ stderr: wants('stderr'), tty: wants('tty') },
  };
  const command = pathname.endsWith('/attach')
    ? ['sh', '-c', 'read line; echo "got $line"; echo oops >&2; exit 3']
    : searchParams.getAll('command');
  await serveRunning(request, socket, head, run(command, wanted), wanted);
}

/** A plain process in place of a container's; with a terminal its command must be `sh -c …`. */
function run(command: string[], { stdin, tty }: { stdin: boolean; tty: boolean }): Running {
  const name = mkdtempSync(join(directory, 'tty-'));
  const words = tty ? ['script', '-qefc', `tty >${name}/name; ${command.at(-1)}`, '/dev/null'] : command;
  const child = spawn(words[0] ?? '', words.slice(1), { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  children.add(child);
  if (!stdin) child.stdin.end();
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: tty ? undefined : child.stderr,
    resize: (columns, rows) => void resize(`${name}/name`, columns, rows),
    exited: once(child, 'close').then(([code, signal]) => {
      children.delete(child);
      return signal ? 128 + 9 : code;
    }),
    release: () => {
      released.add(command.at(-1) ?? '');
      kill(child);
    },
  };
}

async function resize(file: string, columns: number, rows: number): Promise<void> {
  await until('there is a terminal', () => {
    try {
      return readFileSync(file, 'utf8').endsWith('\n');
    } catch {
      return false;
    }
  });
  spawnSync('stty', ['-F', readFileSync(file, 'utf8').trim(), 'rows', `${rows}`, 'cols', `${columns}`]);
}

function kill(child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid as number), 'SIGKILL');
}

async function dial(port: number): Promise<Duplex> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect').catch(() => {
    throw new Error(`dial tcp4 127.0.0.1:${port}: connect: connection refused`);
  });
  return socket;
}

// -- kubectl

const KUBECTL = process.env.KUBECTL ?? 'kubectl';

function environment(webSockets: boolean): NodeJS.ProcessEnv {
  return {
    ...{ PATH: process.env.PATH, HOME: directory, KUBECONFIG: join(directory, 'config') },
    KUBECTL_REMOTE_COMMAND_WEBSOCKETS: `${webSockets}`,
    KUBECTL_PORT_FORWARD_WEBSOCKETS: `${webSockets}`,
  };
}

function start(webSockets: boolean, args: string[]): ChildProcess {
  const child = spawn(KUBECTL, args, { env: environment(webSockets), detached: true });
  children.add(child.once('exit', () => children.delete(child)));
  child.stdin?.on('error', () => undefined);
  return child;
}

/** Runs kubectl to its end. */
async function kubectl(webSockets: boolean, args: string[], input = '') {
  const child = start(webSockets, args);
  child.stdin?.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout as Readable),
    text(child.stderr as Readable),
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
}

/** Starts a port-forward; returns where it listens. */
async function forward(webSockets: boolean, port: number): Promise<[ChildProcess, string]> {
  const child = start(webSockets, ['port-forward', '--address=127.0.0.1', 'pod/x', `:${port}`]);
  let said = '';
  child.stdout?.on('data', (chunk) => {
    said += chunk;
  });
  await until('kubectl listens', () => said.includes('->'));
  assert.equal(protocols.at(-1), webSockets ? 'websocket' : 'spdy/3.1');
  return [child, `http://127.0.0.1:${/127\.0\.0\.1:(\d+)/.exec(said)?.[1]}`];
}

async function until(what: string, test: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end; await sleep(50)) if (await test()) return;
  assert.fail(`in vain: ${what}`);
}

function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
}

const exec = (command: string, ...options: string[]) => ['exec', ...options, 'x', '--', 'sh', '-c', command];

for (const webSockets of [true, false]) {
  const protocol = webSockets ? 'websocket' : 'spdy/3.1';

  describe(`over ${protocol}`, { concurrency: 2 }, () => {
    for (const expected of [0, 3, 137]) {
      test(`exec ends with exit code ${expected} like its command, and keeps stdout and stderr apart`, async () => {
        const end = expected === 137 ? 'kill -9 $$' : `exit ${expected}`;
        const { code, stdout, stderr } = await kubectl(webSockets, exec(`echo out; echo err >&2; ${end}`));
        assert.deepEqual([code, stdout], [expected, 'out\n']);
        assert.equal(protocols.at(-1), protocol);
        assert.equal(stderr, `err\n${expected ? `command terminated with exit code ${expected}\n` : ''}`);
      });
    }

    test('exec passes input and its end', async () => {
      const { code, stdout } = await kubectl(webSockets, exec('cat; echo end', '-i'), 'one\ntwo\n');
      assert.deepEqual([code, stdout], [0, 'one\ntwo\nend\n']);
    });

    test('exec ends when the command does, even if there is more input', async () => {
      const input = randomBytes(8 << 20).toString('hex');
      const { code, stdout } = await kubectl(webSockets, exec('head -c 5; exit 3', '-i'), input);
      assert.deepEqual([code, stdout], [3, input.slice(0, 5)]);
    });

    test('a command that stops reading input is not blocked by it', async () => {
      const input = randomBytes(8 << 20).toString('hex');
      const { code, stdout } = await kubectl(webSockets, exec('exec <&-; sleep 1; echo on', '-i'), input);
      assert.deepEqual([code, stdout], [0, 'on\n']);
    });

    test('exec loses no byte of large output', async () => {
      const child = start(webSockets, exec('seq 1 6000000'));
      const hash = createHash('sha256');
      for await (const chunk of child.stdout as Readable) hash.update(chunk);
      assert.equal(hash.digest('hex'), sha256(spawnSync('seq', ['1', '6000000'], { maxBuffer: 1e8 }).stdout));
    });

    test('exec loses no byte of large input', async () => {
      const input = randomBytes(25 << 20).toString('hex');
      const { stdout } = await kubectl(webSockets, exec('sleep 0.3; sha256sum', '-i'), input);
      assert.equal(stdout.split(' ')[0], sha256(input));
    });

    test('attach shows both outputs, takes input, and does not report the exit code', async () => {
      const { code, stdout, stderr } = await kubectl(webSockets, ['attach', '-i', 'x'], 'word\n');
      assert.deepEqual([code, stdout], [0, 'got word\n']);
      assert.match(stderr, /^oops$/m);
    });

    test('a terminal follows the size of its client', () => inTerminal(webSockets));

    test('a client that is killed releases the command', async () => {
      const command = `echo ready; sleep 60; echo ${protocol}`;
      const child = start(webSockets, exec(command, '-i'));
      await once(child.stdout as Readable, 'data');
      assert.ok(!released.has(command));
      kill(child);
      await until('the command is released', () => released.has(command));
    });

    test('a refused port is reported as by the kubelet', async () => {
      const [child, url] = await forward(webSockets, 1);
      const told = text(child.stderr as Readable);
      await new Promise((resolve) => get(url).on('error', resolve));
      assert.match(await told, /error forwarding port 1 to pod x, uid : .*connect: connection refused/);
    });

    test('many connections are forwarded at a time', async (t) => {
      const body = randomBytes(10 << 20);
      const target = createHttpServer((_, response) => response.end(body)).listen(0, '127.0.0.1');
      t.after(() => target.close().closeAllConnections());
      await once(target, 'listening');
      const [child, url] = await forward(webSockets, (target.address() as AddressInfo).port);
      const bodies = await Promise.all(
        [1, 2, 3, 4].map(async () => Buffer.from(await (await fetch(url)).arrayBuffer())),
      );
      for (const received of bodies) assert.equal(sha256(received), sha256(body));
      kill(child);
    });

    test('a forwarded connection ends when the pod ends it, even if the client still sends', async (t) => {
      const target = createTcpServer((socket) => socket.end('bye')).listen(0, '127.0.0.1');
      t.after(() => target.close());
      await once(target, 'listening');
      const [child, url] = await forward(webSockets, (target.address() as AddressInfo).port);
      const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
      assert.equal(await text(socket), 'bye');
      kill(child);
    });

    test('a forwarded connection gets its answer after the client has ended its side', async (t) => {
      const target = createTcpServer({ allowHalfOpen: true }, (socket) => {
        const hash = createHash('sha256');
        socket.on('data', (data) => hash.update(data)).on('end', () => socket.end(hash.digest('hex')));
      }).listen(0, '127.0.0.1');
      t.after(() => target.close());
      await once(target, 'listening');
      const [child, url] = await forward(webSockets, (target.address() as AddressInfo).port);
      const input = randomBytes(10 << 20);
      const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
      socket.end(input);
      assert.equal(await text(socket), sha256(input));
      kill(child);
    });
  });
}

test('every command is released', () => until('all have ended', () => children.size === 0));

async function inTerminal(webSockets: boolean): Promise<void> {
  const env = environment(webSockets);
  const socket = ['-L', `streams-${process.pid}-${webSockets}`, '-f', '/dev/null'];
  const tmux = (...args: string[]) =>
    new Promise<string>((resolve) => {
      execFile('tmux', [...socket, ...args], { env }, (_, output) => resolve(output));
    });
  const script = 'trap "stty size" WINCH; stty size; while sleep 0.1; do :; done';
  const command = `${KUBECTL} exec -it x -- sh -c '${script}'; echo code $?; sleep 60`;
  const shows = (words: string) => async () => (await tmux('capture-pane', '-p')).includes(words);
  try {
    await tmux('new-session', '-d', '-x', '100', '-y', '30', command);
    await until('the size is 30 100', shows('30 100'));
    await tmux('resize-window', '-x', '120', '-y', '40');
    await until('the size is 40 120', shows('40 120'));
    await tmux('send-keys', 'C-c');
    await until('the command ends', shows('code 130'));
  } finally {
    await tmux('kill-server');
  }
}
