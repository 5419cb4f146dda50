import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate } from 'selfsigned';
import type { Flow } from '../../scripts/lib/flow/flow.ts';
import type { Peer } from '../peers/bundle.ts';
import { CALLS } from '../peers/grpc-calls.ts';
import { Bench, freePorts, type Tap } from '../peers/tap.ts';

const MIB = 1024 * 1024;
/** For longer than the proxy waits for a client's first word. */
const SLOW_MS = 1200;

let bench: Bench;
let tap: Tap;
let ports: number[];
const files = { key: '', cert: '', both: '' };

before(async () => {
  bench = await Bench.open();
  const pems = await generate([{ name: 'commonName', value: 'localhost' }]);
  files.key = bench.write('key.pem', pems.private);
  files.cert = bench.write('cert.pem', pems.cert);
  files.both = bench.write('both.pem', `${pems.private}\n${pems.cert}`);
  ports = await freePorts(6);
  const [web, webTls, grpc, grpcTls, tcp, greeting] = ports as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const tls = { TLS_KEY: files.key, TLS_CERT: files.cert };
  await Promise.all([
    bench.serve('app-web.mjs', { PORT: `${web}`, TLS_PORT: `${webTls}`, ...tls }),
    bench.serve('app-grpc.mjs', { PORT: `${grpc}`, TLS_PORT: `${grpcTls}`, ...tls }),
    bench.serve('app-tcp.mjs', { PORT: `${tcp}`, GREETING_PORT: `${greeting}` }),
  ]);
  tap = await bench.tap({
    ports: {
      'auto web': ['auto', web],
      'http web': ['http', web],
      'https web': ['https', webTls],
      'auto web in TLS': ['auto', webTls],
      'auto gRPC': ['auto', grpc],
      'h2c gRPC': ['h2c', grpc],
      'h2c web': ['h2c', web],
      'https gRPC': ['https', grpcTls],
      'auto gRPC in TLS': ['auto', grpcTls],
      'auto lines': ['auto', tcp],
      'tcp lines': ['tcp', tcp],
      'auto greeting': ['auto', greeting],
      'tcp greeting': ['tcp', greeting],
    },
  });
});
after(() => bench.close());

const TRUSTING = { NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' };
const isOf = (app: number | undefined) => (flow: Flow) => flow.server.address?.[1] === app;
const pathOf = (flow: Flow) => flow.request?.path ?? '';

/** Asks through a port, and tells the client's answer beside the flows since then. */
async function ask(peer: Peer, name: string, mode: string, env: NodeJS.ProcessEnv = {}) {
  const scheme =
    peer === 'ask-tcp.mjs' ? 'tcp' : name.includes('TLS') || name.startsWith('https') ? 'https' : 'http';
  const known = new Set((await tap.flows(() => true, 0)).map(({ id }) => id));
  const answer = await bench.ask(peer, `${scheme}://localhost:${tap.port(name)}`, mode, env);
  assert.equal(answer.error, undefined);
  const fresh = (matches: (flow: Flow) => boolean) => (flow: Flow) => !known.has(flow.id) && matches(flow);
  return { answer, flows: async (matches: (flow: Flow) => boolean) => await tap.flows(fresh(matches)) };
}

/** A gRPC client verifies in any case: mitmproxy's own authority, where it ends TLS. */
const TRUST_OF = (name: string) => (name === 'https gRPC' ? { TLS_CA: tap.authority } : {});

async function httpBody(
  port: number,
  path: string,
  options: RequestOptions = {},
  body?: Buffer,
): Promise<string> {
  const asked = request({ port, path, agent: false, ...options }).end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

/** Connects and ends it, as a probe does. */
async function touch(port: number): Promise<void> {
  const socket = connect(port);
  await once(socket, 'connect');
  socket.destroy();
}

/** A connection whose client has said nothing for longer than the addon waits. */
async function silent(port: number): Promise<Socket> {
  const socket = connect(port);
  await once(socket, 'connect');
  await sleep(1000);
  return socket;
}

/** A message as gRPC sends it: not compressed, its length, itself. */
function grpcMessages(...texts: string[]): Buffer {
  const frames = texts.map((text) => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(text.length, 1);
    return Buffer.concat([head, Buffer.from(text)]);
  });
  return Buffer.concat(frames);
}

describe('HTTP through a tap', () => {
  for (const name of ['auto web', 'http web', 'h2c web', 'https web'])
    it(`passes and is recorded: ${name}`, async () => {
      const { answer, flows } = await ask('ask-web.mjs', name, 'get', TRUSTING);
      const seen = JSON.parse(answer.messages[0] ?? '');
      const [flow] = await flows((flow) => flow.type === 'http');
      assert.equal(seen.headers.host, `localhost:${tap.port(name)}`);
      assert.deepEqual(
        [flow?.response?.status, flow?.response?.content?.toString()],
        [200, answer.messages[0]],
      );
      assert.equal(flow?.request?.scheme, name === 'https web' ? 'https' : 'http');
    });

  for (const name of ['auto web', 'http web', 'https web'])
    it(`streams server-sent events, and records them: ${name}`, async () => {
      const { answer, flows } = await ask('ask-web.mjs', name, 'sse', TRUSTING);
      const [flow] = await flows((flow) => pathOf(flow).startsWith('/events'));
      assert.deepEqual(answer.messages, ['1', '2', '3']);
      assert.equal(flow?.response?.content?.toString(), 'data: 1\n\ndata: 2\n\ndata: 3\n\n');
      assert.equal(flow?.comment, '');
    });

  it('streams lines of JSON', async () => {
    assert.deepEqual((await ask('ask-web.mjs', 'auto web', 'ndjson')).answer.messages, ['1', '2', '3']);
  });

  for (const name of ['auto web', 'http web', 'https web'])
    it(`carries a WebSocket, and records it: ${name}`, async () => {
      const { answer, flows } = await ask('ask-web.mjs', name, 'ws', TRUSTING);
      const [flow] = await flows((flow) => flow.websocket !== undefined);
      assert.deepEqual(answer.messages, ['re: 1', 're: 2', 're: 3']);
      const texts = flow?.websocket?.messages.map(({ content }) => content.toString());
      assert.deepEqual(texts, ['1', 're: 1', '2', 're: 2', '3', 're: 3']);
    });

  it('goes on in HTTP/1.1 where a client offers h2c', async () => {
    const offer = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABk' };
    const { headers } = JSON.parse(await httpBody(tap.port('auto web'), '/offer', { headers: offer }));
    const [flow] = await tap.flows((flow) => pathOf(flow) === '/offer');
    assert.deepEqual([headers.upgrade, headers['http2-settings']], [undefined, undefined]);
    assert.equal(flow?.response?.status, 200);
  });

  it('passes the response that comes after early hints', async () => {
    assert.equal(await httpBody(tap.port('auto web'), '/hints'), 'hinted');
  });

  it('takes an upload that asks whether it may, and one above the bound', async () => {
    const body = Buffer.alloc(6 * MIB, 'x');
    const headers = { expect: '100-continue', 'content-length': String(body.length) };
    const { bytes } = JSON.parse(
      await httpBody(tap.port('auto web'), '/upload', { method: 'POST', headers }, body),
    );
    const [flow] = await tap.flows((flow) => pathOf(flow) === '/upload');
    assert.equal(bytes, body.length);
    assert.equal(flow?.request?.content, undefined);
  });

  it('passes a large response unseen', async () => {
    const body = await httpBody(tap.port('auto web'), `/bytes?n=${6 * MIB}`);
    const [flow] = await tap.flows((flow) => pathOf(flow).startsWith('/bytes'));
    assert.equal(body.length, 6 * MIB);
    assert.deepEqual([flow?.response?.status, flow?.response?.content], [200, undefined]);
  });
});

describe('HTTP of a client that waits before it speaks', () => {
  it('is seen as HTTP', async () => {
    const socket = await silent(tap.port('auto web'));
    socket.write('GET /waited HTTP/1.1\r\nhost: app\r\nconnection: close\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += chunk;
    assert.match(text, /^HTTP\/1.1 200 OK/);
    assert.equal((await tap.flows((flow) => pathOf(flow) === '/waited')).length, 1);
  });
});

describe('a client of HTTP/2 that closes its session in order', () => {
  it('is answered what it has asked for before', async () => {
    const session = connectHttp2(`http://localhost:${tap.port('auto gRPC')}`);
    const call = session.request({
      ':method': 'POST',
      ':path': CALLS.talk.path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const trailers = once(call, 'trailers');
    call.write(grpcMessages('one'));
    assert.deepEqual((await once(call, 'data'))[0], grpcMessages('re: one'));
    // It sends a GOAWAY, and waits for the streams that are open.
    session.close();
    await new Promise((resolve) => setImmediate(resolve));
    call.end(grpcMessages('two'));
    assert.deepEqual((await once(call, 'data'))[0], grpcMessages('re: two'));
    assert.equal((await trailers)[0]['grpc-status'], '0');
  });
});

describe('gRPC through a tap', () => {
  const plain = ['auto gRPC', 'h2c gRPC', 'https gRPC'];
  const cases: [mode: string, messages: string[], status: number, trailer: string][] = [
    ['unary', ['hello'], 0, 'echo'],
    ['large', [], 0, 'echo'],
    ['server', ['counting 1', 'counting 2', 'counting 3'], 0, 'count'],
    ['client', ['1,2,3'], 0, 'collect'],
    ['bidi', ['re: 1', 're: 2', 're: 3'], 0, 'talk'],
    ['error', [], 3, 'fail'],
    ['failing', ['failing 1', 'failing 2', 'failing 3'], 8, 'count'],
  ];
  for (const name of plain)
    for (const [mode, messages, status, trailer] of cases)
      it(`passes as it comes, with its trailers: ${mode}, ${name}`, async () => {
        const { answer } = await ask('ask-grpc.mjs', name, mode, TRUST_OF(name));
        assert.deepEqual(answer.messages, messages);
        assert.equal(answer.status, status);
        assert.deepEqual((answer.trailers as Record<string, string[]>)['x-trailer'], [trailer]);
      });

  for (const name of plain)
    it(`is recorded in both directions: ${name}`, async () => {
      const { flows } = await ask('ask-grpc.mjs', name, 'bidi', TRUST_OF(name));
      const [flow] = await flows((flow) => pathOf(flow).endsWith('/Talk'));
      assert.equal(flow?.request?.httpVersion, 'HTTP/2.0');
      assert.deepEqual(flow?.request?.content, grpcMessages('1', '2', '3'));
      assert.deepEqual(flow?.response?.content, grpcMessages('re: 1', 're: 2', 're: 3'));
      assert.deepEqual(
        flow?.response?.trailers?.find(([header]) => header === 'grpc-status'),
        ['grpc-status', '0'],
      );
    });

  it('is recorded with the error that it came to', async () => {
    const { flows } = await ask('ask-grpc.mjs', 'auto gRPC', 'error');
    const [flow] = await flows((flow) => pathOf(flow).endsWith('/Fail'));
    const headers = [...(flow?.response?.headers ?? []), ...(flow?.response?.trailers ?? [])];
    assert.ok(headers.some(([header, value]) => header === 'grpc-status' && value === '3'));
  });

  it('is seen where the client is so slow that the server speaks first', async () => {
    const known = new Set((await tap.flows(() => true, 0)).map(({ id }) => id));
    const relay = createServer((client) => {
      const server = connect(tap.port('auto gRPC'), 'localhost');
      server.once('connect', () => setTimeout(() => client.pipe(server), SLOW_MS));
      server.pipe(client);
      for (const socket of [client, server]) socket.on('error', () => undefined);
    });
    relay.listen(0, 'localhost');
    await once(relay, 'listening');
    const { port } = relay.address() as AddressInfo;
    const answer = await bench.ask('ask-grpc.mjs', `http://localhost:${port}`, 'bidi');
    relay.close();
    assert.deepEqual([answer.error, answer.messages], [undefined, ['re: 1', 're: 2', 're: 3']]);
    await tap.flows((flow) => !known.has(flow.id) && pathOf(flow).endsWith('/Talk'));
  });

  it('takes many calls at a time on a connection', async () => {
    const { answer } = await ask('ask-grpc.mjs', 'auto gRPC', 'many');
    assert.equal(new Set(answer.messages).size, 20);
  });
});

describe('what is no HTTP', () => {
  const said = ['line 1', 'line 2', 'line 3'];
  for (const [name, mode] of [
    ['auto lines', 'client-first'],
    ['auto lines', 'late'],
    ['tcp lines', 'client-first'],
    ['auto greeting', 'server-first'],
    ['tcp greeting', 'server-first'],
  ] as const)
    it(`passes, and is recorded: ${mode}, ${name}`, async () => {
      const { answer, flows } = await ask('ask-tcp.mjs', name, mode);
      const greeting = mode === 'server-first' ? ['220 mittens at your service'] : [];
      assert.deepEqual(answer.messages, [...greeting, ...said.map((line) => `250 ${line}`), '221 bye']);
      const [flow] = await flows((flow) => flow.type === 'tcp');
      const text = (fromClient: boolean) =>
        flow?.messages
          .filter((message) => message.fromClient === fromClient)
          .map(({ content }) => String(content));
      assert.equal(text(true)?.join(''), said.map((line) => `${line}\r\n`).join(''));
      assert.equal(text(false)?.join(''), answer.messages.map((line) => `${line}\r\n`).join(''));
    });

  for (const words of ['CONNECT elsewhere:443 HTTP/1.1\r\n', 'PING\r\n', 'OPTIONS rtsp://app RTSP/1.0\r\n'])
    it(`passes what only looks like HTTP: ${JSON.stringify(words)}`, async () => {
      const socket = connect(tap.port('auto lines'));
      socket.write(words);
      assert.equal(String((await once(socket, 'data'))[0]), `250 ${words}`);
      socket.destroy();
    });

  it('passes the beginning of what may become a line, from a client that waits for more', async () => {
    for (const socket of [connect(tap.port('auto lines')), await silent(tap.port('auto lines'))]) {
      socket.write('HELL');
      socket.end();
      const chunks: string[] = [];
      for await (const chunk of socket) chunks.push(String(chunk));
      assert.equal(chunks.join(''), '221 bye\r\n');
    }
  });

  for (const [name, peer, mode] of [
    ['auto web in TLS', 'ask-web.mjs', 'get'],
    ['auto gRPC in TLS', 'ask-grpc.mjs', 'bidi'],
  ] as const)
    it(`passes TLS untouched, for clients that verify: ${name}`, async () => {
      const { flows } = await ask(peer, name, mode, { TLS_CA: files.cert });
      const [flow] = await flows((flow) => flow.type === 'tcp');
      assert.equal(flow?.messages[0]?.content[0], 0x16);
    });

  it('is not troubled by a probe, of which the app hears nothing', async () => {
    const known = (await tap.flows(isOf(ports[5]), 0)).length;
    await touch(tap.port('tcp greeting'));
    // It would have come before this.
    await ask('ask-tcp.mjs', 'tcp greeting', 'server-first');
    assert.equal((await tap.flows(isOf(ports[5]), known + 1)).length, known + 1);
  });
});
