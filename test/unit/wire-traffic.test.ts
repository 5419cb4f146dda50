import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as ask, createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2, type IncomingHttpHeaders } from 'node:http2';
import { type AddressInfo, connect, createServer as createTcp, type Server } from 'node:net';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  Client,
  credentials,
  Server as GrpcServer,
  Metadata,
  ServerCredentials,
  status,
} from '@grpc/grpc-js';
import { type PerMessageDeflateOptions, WebSocket, WebSocketServer } from 'ws';
import type { Flow } from '../../scripts/lib/flow/flow.ts';
import { CALLS } from '../peers/grpc-calls.ts';
import { decode } from './wire-file.ts';
import { assertObserved } from './wire-observed.ts';
import { Relay } from './wire-relay.ts';

async function listen(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

/** What a client does with an app, as the relay between them has written it. */
async function relayed(app: number, use: (port: number) => Promise<void>): Promise<Flow[]> {
  const relay = new Relay(app);
  await use(await relay.listen());
  const file = await relay.close();
  await assertObserved(file);
  const { flows, omissions, error } = await decode(file);
  assert.deepEqual([omissions, error], [[], undefined]);
  for (const { created, client } of flows) {
    assert.ok(Math.abs(created - Date.now() / 1000) < 600, 'times are those of the wire');
    assert.equal(client.peer?.[0], '127.0.0.1');
  }
  return flows;
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

const pairs = (raw: string[]) =>
  Array.from({ length: raw.length / 2 }, (_, at) => [raw[2 * at], raw[2 * at + 1]]);

/** What a client sent or got, or an app: what the flow must say, too. */
interface Seen {
  line: string;
  headers: unknown;
  trailers: unknown;
  body: string;
}

const answerHttp1 =
  (seen: Seen[]): RequestListener =>
  async (request, response) => {
    const body = (await readAll(request)).toString('latin1');
    const { method, url, rawHeaders, rawTrailers } = request;
    seen.push({ line: `${method} ${url}`, headers: pairs(rawHeaders), trailers: pairs(rawTrailers), body });
    if (url === '/hints') response.writeEarlyHints({ link: '</a.css>; rel=preload' });
    if (url === '/chunked') {
      response.writeHead(200, { trailer: 'x-sum', 'content-type': 'text/event-stream' });
      for (let number = 0; number < 5; number++) response.write(`data: ${number}\n\n`);
      response.addTrailers({ 'x-sum': '10' });
      response.end();
    } else if (url === '/gzip')
      response.setHeader('content-encoding', 'gzip').end(gzipSync('wool'.repeat(500)));
    else if (url === '/none') response.writeHead(204).end();
    else response.end(`you said ${body}`);
  };

async function sendHttp1(
  port: number,
  path: string,
  method: string,
  body?: string,
  headers = {},
): Promise<Seen> {
  const request = ask({ port, host: '127.0.0.1', path, method, headers });
  if (method === 'PUT') request.write(body?.slice(0, 3) ?? '');
  request.end(method === 'PUT' ? body?.slice(3) : body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const got = (await readAll(response)).toString('latin1');
  const { statusCode, statusMessage, rawHeaders, rawTrailers } = response;
  return {
    line: `${statusCode} ${statusMessage}`,
    headers: pairs(rawHeaders),
    trailers: pairs(rawTrailers),
    body: got,
  };
}

function asRequest({ request }: Flow): Seen {
  assert.ok(request?.end);
  const body = request.content?.toString('latin1') ?? '';
  return {
    line: `${request.method} ${request.path}`,
    headers: request.headers,
    trailers: request.trailers ?? [],
    body,
  };
}

function asResponse({ response }: Flow): Seen {
  assert.ok(response?.end);
  const body = response.content?.toString('latin1') ?? '';
  const line = `${response.status} ${response.reason}`;
  return { line, headers: response.headers, trailers: response.trailers ?? [], body };
}

describe('real traffic that was written as a wire file', () => {
  it('of HTTP/1 has what client and app saw', async () => {
    const [atApp, atClient]: [Seen[], Seen[]] = [[], []];
    const app = createServer(answerHttp1(atApp));
    const flows = await relayed(await listen(app), async (port) => {
      atClient.push(await sendHttp1(port, '/', 'GET'));
      atClient.push(await sendHttp1(port, '/chunked', 'GET', undefined, { te: 'trailers' }));
      atClient.push(await sendHttp1(port, '/echo', 'POST', 'x'.repeat(300_000)));
      atClient.push(await sendHttp1(port, '/echo', 'PUT', 'in chunks', { 'x-latin': 'caf\xe9' }));
      for (const path of ['/hints', '/gzip', '/none']) atClient.push(await sendHttp1(port, path, 'GET'));
      atClient.push(await sendHttp1(port, '/head', 'HEAD'));
      app.closeAllConnections();
    });
    app.close();
    // Node.js gives header values as Latin-1.
    assert.deepEqual(flows.map(asRequest), atApp);
    assert.deepEqual(flows.map(asResponse), atClient);
  });

  it('of HTTP/2 has what client and app saw, with Huffman codes of every byte that a header may have', async () => {
    const text = String.fromCharCode(...Array.from({ length: 94 }, (_, at) => 33 + at));
    const app = createHttp2({ settings: { headerTableSize: 16_384 } });
    const atApp: IncomingHttpHeaders[] = [];
    app.on('stream', async (stream, headers) => {
      atApp.push(headers);
      const body = await readAll(stream);
      stream.respond(
        { ':status': 200, 'x-text': text, 'x-path': headers[':path'] ?? '' },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-bytes': String(body.length) }));
      stream.end(body);
    });
    const flows = await relayed(await listen(app), async (port) => {
      const session = connectHttp2(`http://127.0.0.1:${port}`, { settings: { headerTableSize: 200 } });
      await Promise.all(
        Array.from({ length: 40 }, async (_, number) => {
          const stream = session.request({
            ':path': `/${number}`,
            ':method': 'POST',
            'x-number': String(number),
            'x-text': text,
          });
          stream.end('b'.repeat(number * 1000));
          assert.equal((await readAll(stream)).length, number * 1000);
        }),
      );
      session.close();
      await once(session, 'close');
    });
    app.close();
    assert.equal(flows.length, 40);
    for (const { request, response, error } of flows) {
      const sent = atApp.find((headers) => headers[':path'] === request?.path);
      const headers = Object.fromEntries(request?.headers ?? []);
      assert.deepEqual(
        { ...headers, ':path': request?.path },
        { 'x-number': sent?.['x-number'], 'x-text': text, ':path': sent?.[':path'] },
      );
      assert.deepEqual([request?.httpVersion, response?.status, error], ['HTTP/2.0', 200, undefined]);
      assert.deepEqual(request?.content, Buffer.from('b'.repeat(Number(sent?.['x-number']) * 1000)));
      assert.deepEqual(response?.content, request?.content);
      const answered = Object.fromEntries(response?.headers ?? []);
      assert.deepEqual([answered['x-text'], answered['x-path']], [text, request?.path]);
      assert.deepEqual(response?.trailers, [['x-bytes', String(request?.content?.length)]]);
    }
  });

  it('of gRPC has messages, statuses and trailers', async () => {
    const app = new GrpcServer();
    app.addService(
      { echo: CALLS.echo, fail: CALLS.fail },
      {
        echo: ({ request }: { request: Buffer }, answer: (error: null, bytes: Buffer) => void) =>
          answer(null, request),
        fail: (_: unknown, answer: (error: object) => void) =>
          answer({ code: status.INVALID_ARGUMENT, details: 'not like this', metadata: new Metadata() }),
      },
    );
    const port = await new Promise<number>((resolve, reject) =>
      app.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      ),
    );
    const flows = await relayed(port, async (relay) => {
      const client = new Client(`127.0.0.1:${relay}`, credentials.createInsecure());
      const call = (method: (typeof CALLS)['echo'], message: string) =>
        new Promise((resolve) =>
          client.makeUnaryRequest(
            method.path,
            method.requestSerialize,
            method.responseDeserialize,
            Buffer.from(message),
            (error, bytes) => resolve(error?.code ?? bytes?.toString()),
          ),
        );
      assert.equal(await call(CALLS.echo, 'wool'), 'wool');
      assert.equal(await call(CALLS.fail, 'wool'), status.INVALID_ARGUMENT);
      client.close();
      app.forceShutdown();
    });
    assert.deepEqual(
      flows.map(({ request, response, error }) => [
        request?.path,
        request?.content?.toString('latin1'),
        response?.content?.toString('latin1'),
        Object.fromEntries([...(response?.headers ?? []), ...(response?.trailers ?? [])])['grpc-status'],
        error,
      ]),
      [
        [CALLS.echo.path, '\0\0\0\0\x04wool', '\0\0\0\0\x04wool', '0', undefined],
        [CALLS.fail.path, '\0\0\0\0\x04wool', '', String(status.INVALID_ARGUMENT), undefined],
      ],
    );
  });

  const DEFLATE: [string, boolean | PerMessageDeflateOptions][] = [
    ['without compression', false],
    ['with compression that looks back', { threshold: 0 }],
    [
      'with compression that does not look back',
      { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true },
    ],
    ['with compression and small windows', { threshold: 0, serverMaxWindowBits: 9, clientMaxWindowBits: 9 }],
  ];
  for (const [title, perMessageDeflate] of DEFLATE)
    it(`of WebSockets ${title} has what was said`, async () => {
      const http = createServer();
      const app = new WebSocketServer({ server: http, perMessageDeflate });
      app.on('connection', (socket) =>
        socket.on('message', (data, binary) => {
          socket.ping();
          socket.send(data, { binary });
        }),
      );
      const said = [
        'hello',
        'hello',
        Buffer.from([0, 1, 255]),
        'wool '.repeat(20_000),
        '',
        `wool ${'x'.repeat(100)}`,
      ];
      const flows = await relayed(await listen(http), async (port) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, { perMessageDeflate });
        await once(socket, 'open');
        for (const message of said) {
          socket.send(message);
          await once(socket, 'message');
        }
        socket.close(4001, 'bye');
        await once(socket, 'close');
      });
      http.close();
      const [flow] = flows;
      assert.equal(flows.length, 1);
      assert.deepEqual(
        [flow?.request?.path, flow?.response?.status, flow?.comment, flow?.error],
        ['/socket', 101, '', undefined],
      );
      const { messages = [], closedByClient, closeCode, closeReason } = flow?.websocket ?? {};
      assert.deepEqual([closedByClient, closeCode, closeReason], [true, 4001, 'bye']);
      assert.deepEqual(
        messages.map(({ text, fromClient, content }) => [fromClient, text ? content.toString() : content]),
        said.flatMap((message) => [
          [true, message],
          [false, message],
        ]),
      );
    });

  it('of TCP has the bytes of both sides', async () => {
    const app = createTcp((socket) => socket.end('220 ready\r\n'));
    const flows = await relayed(await listen(app), async (port) => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'data');
      socket.end('QUIT\r\n');
      await once(socket, 'close');
    });
    app.close();
    const said = flows.map(({ messages }) =>
      messages.map(({ fromClient, content }) => [fromClient, content.toString()]),
    );
    assert.deepEqual(said, [
      [
        [false, '220 ready\r\n'],
        [true, 'QUIT\r\n'],
      ],
    ]);
  });
});
