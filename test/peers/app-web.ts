// A web server: PORT in plaintext, TLS_PORT in TLS. It answers what it was sent; /events?id=ID is a stream of events,
// of which the next is sent when /next?id=ID is asked for; and it answers each message of a WebSocket.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import { sayReady, serving } from './serve.ts';

const EVENTS = 3;
const streams = new Map<string, () => void>();

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://app');
  const id = url.searchParams.get('id') ?? '';
  if (url.pathname === '/events')
    sendEvents(id, url.searchParams.get('type') ?? 'text/event-stream', response);
  else if (url.pathname === '/next') sendNext(id, response);
  else if (url.pathname === '/slow')
    setTimeout(() => response.end('slow'), Number(url.searchParams.get('ms')));
  else if (url.pathname === '/bytes') sendBytes(url.searchParams, response);
  else if (url.pathname === '/hints')
    response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => response.end('hinted'));
  else void tell(request, response);
}

async function tell(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let bytes = 0;
  let body = '';
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (body.length < 1000) body += String(chunk).slice(0, 1000);
  }
  const { method, url, headers, httpVersion } = request;
  const client = (request.socket as TLSSocket).getPeerCertificate?.()?.subject?.CN;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ method, url, headers, httpVersion, bytes, body, client }));
}

function sendBytes(query: URLSearchParams, response: ServerResponse): void {
  response.setHeader('content-type', query.get('type') ?? 'application/octet-stream');
  response.end(Buffer.alloc(Number(query.get('n')), 'x'));
}

function sendEvents(id: string, type: string, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': type });
  let sent = 0;
  const send = () => {
    response.write(`data: ${++sent}\n\n`);
    if (sent < EVENTS) return;
    streams.delete(id);
    response.end();
  };
  streams.set(id, send);
  response.on('close', () => streams.delete(id));
  send();
}

function sendNext(id: string, response: ServerResponse): void {
  const send = streams.get(id);
  response.writeHead(send ? 200 : 404, { connection: 'close' }).end();
  send?.();
}

const { host, port, tlsPort, tls } = serving();

function listen(server: Server, port: number): Promise<void> {
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    // What is no WebSocket is answered as if nothing had been offered.
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') return socket.destroy();
    sockets.handleUpgrade(request, socket, head, (connection) =>
      connection.on('message', (data, isBinary) => connection.send(isBinary ? data : `re: ${data}`)),
    );
  });
  return new Promise((resolve) => server.listen(port, host, () => resolve()));
}

if (port) await listen(createServer(answer), port);
if (tlsPort && tls) {
  const { key, cert, ca } = tls;
  const asksForOne = ca ? { ca, requestCert: true, rejectUnauthorized: true } : {};
  await listen(createTlsServer({ key, cert, ...asksForOne }, answer), tlsPort);
}
sayReady();
process.on('SIGTERM', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
