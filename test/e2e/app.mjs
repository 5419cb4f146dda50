// The sample app of the tests, which travels in a ConfigMap. With DRAIN_MS it is what a careful app is: on SIGTERM
// it goes on serving while Kubernetes takes it out of its Services, asks kept-alive clients to leave, then ends. With
// HOST it listens on that address only.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { hostname } from 'node:os';

let leaving = false;

function answer(request, response) {
  const url = new URL(request.url, 'http://app');
  if (leaving) response.setHeader('connection', 'close');
  if (url.pathname === '/events') return sendEvents(response);
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    response.writeHead(Number(url.searchParams.get('status') ?? 200), { 'content-type': 'application/json' });
    const { method, headers } = request;
    const { localPort: port, localAddress, remoteAddress: from } = request.socket;
    // A proxy in the same pod comes from the address that it goes to.
    const proxied = from === localAddress;
    const { pathname: path } = url;
    response.end(
      JSON.stringify({
        pod: hostname(),
        port,
        from,
        proxied,
        method,
        path,
        host: headers.host,
        headers,
        body,
      }),
    );
  });
}

function sendEvents(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let n = 0;
  const timer = setInterval(() => response.write(`data: ${++n}\n\n`), 200);
  response.on('close', () => clearInterval(timer));
}

const servers = (process.env.PORTS ?? '8080')
  .split(',')
  .map((port) => createServer(answer).listen(Number(port), process.env.HOST));
if (process.env.TLS_PORT) {
  const [key, cert] = ['tls.key', 'tls.crt'].map((file) => readFileSync(new URL(file, import.meta.url)));
  servers.push(createTlsServer({ key, cert }, answer).listen(Number(process.env.TLS_PORT)));
}

process.on('SIGTERM', () => {
  leaving = true;
  setTimeout(
    () => {
      for (const server of servers) server.close();
      setTimeout(() => process.exit(0), 1000);
    },
    Number(process.env.DRAIN_MS ?? 0),
  );
});
