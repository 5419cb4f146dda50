import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { generate } from 'selfsigned';
import { paths } from '../../scripts/lib/plan/pod-contract.ts';
import { CALLS } from '../peers/grpc-calls.ts';
import { Bench, freePorts, placeIn, type Tap } from '../peers/tap.ts';

let bench: Bench;
let web: number;
let key: string;
let cert: string;
let grpc: number;

before(async () => {
  bench = await Bench.open();
  const pems = await generate([{ name: 'commonName', value: 'localhost' }]);
  key = bench.write('key.pem', pems.private);
  cert = bench.write('cert.pem', pems.cert);
  [web = 0, grpc = 0] = await freePorts(2);
  await Promise.all([
    bench.serve('app-web.mjs', { PORT: `${web}` }),
    bench.serve('app-grpc.mjs', { PORT: `${grpc}` }),
  ]);
});
after(() => bench.close());

const tapOn = async (constants: Record<string, number> = {}) =>
  await bench.tap({ ports: { web: ['auto', web], grpc: ['auto', grpc] }, constants });

async function open(tap: Tap, path: string, agent: Agent | false = false): Promise<IncomingMessage> {
  const asked = request({ port: tap.port('web'), path, agent });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return response;
}

async function read(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

const isPath = (path: string) => (flow: { request: { path: string } | undefined }) =>
  flow.request?.path.startsWith(path) ?? false;

describe('a tap that leaves while the app goes on', () => {
  it('ends when nobody is there, and says so in the file', async () => {
    const tap = await tapOn();
    tap.process.kill('SIGUSR1');
    const { code, ms } = await tap.ended();
    assert.equal(code, 0);
    // Not only when it gives up.
    assert.ok(ms < 15_000, `${ms} ms`);
  });

  it('closes a connection that is idle', async () => {
    const tap = await tapOn({ IDLE: 0.1 });
    const agent = new Agent({ keepAlive: true });
    await read(await open(tap, '/kept', agent));
    tap.process.kill('SIGUSR1');
    assert.equal((await tap.ended()).code, 0);
    agent.destroy();
  });

  it('answers what is on the way and what still comes, and asks these clients to leave', async () => {
    const tap = await tapOn({ TURN: 0.1 });
    const agent = new Agent({ keepAlive: true });
    const asked = request({ port: tap.port('web'), path: '/slow?ms=3000', agent }).end();
    const answered = once(asked, 'response') as Promise<[IncomingMessage]>;
    // It is on the way once the app has it, which is before this one is answered.
    await once(asked, 'finish');
    await read(await open(tap, '/before'));
    tap.process.kill('SIGUSR1');
    let late: IncomingMessage;
    do {
      late = await open(tap, '/late', agent);
      assert.equal(late.statusCode, 200);
      assert.match(await read(late), /"url":"\/late"/);
    } while (late.headers.connection !== 'close');
    const [slow] = await answered;
    assert.equal(await read(slow), 'slow');
    agent.destroy();
    assert.equal((await tap.ended()).code, 0);
    const flows = await tap.flows(isPath('/'), 0);
    assert.ok(flows.length >= 3);
    assert.ok(flows.every(({ error }) => error === undefined));
  });

  it('tells clients that speak HTTP/2', async () => {
    const tap = await tapOn();
    const session = connectHttp2(`http://localhost:${tap.port('grpc')}`);
    await once(session, 'remoteSettings');
    const told = once(session, 'goaway');
    tap.process.kill('SIGUSR1');
    const [code] = await told;
    assert.equal(code, 0);
    session.close();
    assert.equal((await tap.ended()).code, 0);
  });

  it('cuts off what does not end, and has written it before', async () => {
    const tap = await tapOn({ LEAVE: 3 });
    const stream = await open(tap, '/events?id=endless');
    await once(stream, 'data');
    tap.process.kill('SIGUSR1');
    const cut = new Promise((resolve) => stream.on('error', () => undefined).on('close', resolve));
    const [flow] = await tap.flows(isPath('/events'));
    assert.equal(flow?.response?.content?.toString(), 'data: 1\n\n');
    assert.equal((await tap.ended()).code, 0);
    await cut;
    assert.equal((await tap.flows(isPath('/events'), 0)).length, 1);
  });

  it('waits for whoever follows its flows', async () => {
    const tap = await tapOn();
    const followers = placeIn(tap.folder, paths.followers);
    mkdirSync(followers);
    writeFileSync(join(followers, 'one'), '');
    await read(await open(tap, '/followed'));
    tap.process.kill('SIGUSR1');
    await portCloses(tap.port('web'));
    assert.equal(tap.process.exitCode, null);
    rmSync(join(followers, 'one'));
    assert.equal((await tap.ended()).code, 0);
  });
});

describe('a tap whose pod ends', () => {
  for (const signals of [['SIGTERM'], ['SIGUSR1', 'SIGTERM']] as const)
    it(`serves until the app has ended: ${signals.join(', then ')}`, async () => {
      const [port = 0] = await freePorts(1);
      const app = await bench.serve('app-web.mjs', { PORT: `${port}` });
      const tap = await bench.tap({ ports: { web: ['auto', port] } });
      for (const signal of signals) tap.process.kill(signal);
      // Longer than it would have taken without the app.
      for (let n = 0; n < 4; n++) assert.equal(await read(await open(tap, '/slow?ms=700')), 'slow');
      app.kill('SIGTERM');
      assert.equal((await tap.ended()).code, 0);
    });
});

describe('an app that ends in order', () => {
  for (const protocol of ['h2c', 'https'])
    it(`ends its streams as it would without a tap: ${protocol}`, async () => {
      const [port = 0, tlsPort = 0] = await freePorts(2);
      const tls = { TLS_PORT: `${tlsPort}`, TLS_KEY: key, TLS_CERT: cert };
      const app = await bench.serve('app-grpc.mjs', { PORT: `${port}`, ...tls });
      const tap = await bench.tap({ ports: { grpc: [protocol, protocol === 'h2c' ? port : tlsPort] } });
      const authority = protocol === 'h2c' ? undefined : readFileSync(tap.authority);
      const credential = authority ? credentials.createSsl(authority) : credentials.createInsecure();
      const client = new Client(`localhost:${tap.port('grpc')}`, credential);
      const { path, requestSerialize, responseDeserialize } = CALLS.talk;
      const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
      const ended = once(call, 'status');
      const say = async (text: string) => {
        const heard = once(call, 'data');
        call.write(Buffer.from(text));
        assert.equal(String((await heard)[0]), `re: ${text}`);
      };
      await say('one');
      app.kill('SIGTERM');
      await portCloses(port);
      await say('two');
      call.end();
      const [{ code }] = await ended;
      assert.equal(code, 0);
      client.close();
      tap.process.kill('SIGTERM');
      await tap.ended();
    });
});

async function portCloses(port: number): Promise<void> {
  for (;;) {
    const asked = request({ port, agent: false });
    const outcome = await Promise.race([
      once(asked, 'error').then(() => 'closed'),
      once(asked.end(), 'response').then(
        ([response]) => {
          response.resume();
          return 'open';
        },
        () => 'closed',
      ),
    ]);
    if (outcome === 'closed') return;
  }
}
