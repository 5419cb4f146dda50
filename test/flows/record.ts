import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  request as ask,
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, type Server as Listener, createServer as listen } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { WebSocket, WebSocketServer } from 'ws';

/** Records test/flows/VERSION.mitm: requests of every kind through a mitmdump. Usage: record MITMDUMP FILE */

const TEXT = JSON.stringify({ items: [{ id: 1, name: 'Fäustling' }], next: null });
const CODINGS: Record<string, (bytes: string) => Buffer> = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
};

const ROUTES: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  '/items': (_, response) => response.setHeader('content-type', 'application/json; charset=utf-8').end(TEXT),
  '/binary': (_, response) =>
    response.setHeader('content-type', 'image/png').end(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 255, 254])),
  '/empty': (_, response) => response.writeHead(204).end(),
  '/cookies': (_, response) =>
    response.setHeader('set-cookie', ['a=1; Path=/; HttpOnly', 'b=2; Max-Age=60; Secure']).end('ok'),
  '/moved': (_, response) => response.writeHead(302, { location: '/items?from=moved' }).end(),
  '/latin': (_, response) => response.writeHead(200, { 'x-name': 'F\u00e4ustling' }).end('ok'),
  '/broken': (request) => request.socket.destroy(),
  '/events': (_, response) =>
    response.setHeader('content-type', 'text/event-stream').end('data: one\n\ndata: two\n\n'),
};

function answer(request: IncomingMessage, response: ServerResponse): void {
  const [path = ''] = (request.url ?? '').split('?');
  const coding = CODINGS[path.slice(1)];
  request.resume().once('end', () => {
    if (coding) response.setHeader('content-encoding', path.slice(1)).end(coding(TEXT));
    else
      (ROUTES[path] ?? ((_, response) => response.writeHead(404).end('no such thing\n')))(request, response);
  });
}

async function listenOnFreePort(server: Server | Listener): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = listen();
  const port = await listenOnFreePort(server);
  await once(server.close(), 'close');
  return port;
}

async function send(port: number, method: string, path: string, body?: string | Buffer, headers = {}) {
  const request = ask({ port, host: '127.0.0.1', method, path, headers: { host: 'shop', ...headers } });
  request.end(body);
  await once(request, 'response')
    .then(([response]) => once(response.resume(), 'end'))
    .catch(() => undefined);
}

async function talk(port: number): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, {
    perMessageDeflate: false,
    headers: { host: 'shop' },
  });
  await once(socket, 'open');
  socket.send('hello');
  await once(socket, 'message');
  socket.send(Buffer.from([0, 1, 255]));
  await once(socket, 'message');
  socket.close(1000, 'bye');
  await once(socket, 'close');
}

async function use(port: number): Promise<void> {
  for (const path of Object.keys(ROUTES)) await send(port, 'GET', path);
  for (const coding of Object.keys(CODINGS)) await send(port, 'GET', `/${coding}`);
  await send(port, 'POST', '/items?a=1&b=%C3%A4', '{"name":"x"}', { 'content-type': 'application/json' });
  await send(port, 'PUT', '/items/17', 'a=1&b=2', { 'content-type': 'application/x-www-form-urlencoded' });
  await send(port, 'DELETE', '/items/17', undefined, { cookie: 'a=1; b=2' });
  await send(port, 'POST', '/upload', Buffer.from([0, 159, 146, 150]), { 'content-type': 'image/png' });
  await talk(port);
}

async function record(mitmdump: string, mode: string, file: string, use: (port: number) => Promise<void>) {
  const port = await freePort();
  const args = ['-q', '--mode', mode, '--listen-host', '127.0.0.1', '-p', String(port), '-w', file];
  const proxy = spawn(mitmdump, [...args, '--set', 'keep_host_header=true'], { stdio: 'inherit' });
  for (; ; await sleep(200)) {
    const socket = connect(port, '127.0.0.1');
    const up = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (up) break;
  }
  await use(port);
  await sleep(500);
  proxy.kill('SIGINT');
  await once(proxy, 'exit');
}

const [mitmdump = 'mitmdump', file = 'flows.mitm'] = process.argv.slice(2);
const app = createServer(answer);
const sockets = new WebSocketServer({ server: app });
sockets.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
await record(mitmdump, `reverse:http://127.0.0.1:${await listenOnFreePort(app)}`, file, use);
process.exit();
