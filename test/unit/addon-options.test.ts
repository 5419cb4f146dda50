import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { generate } from 'selfsigned';
import { Bench, CHANGING, freePorts, type Tap } from '../peers/tap.ts';

const MIB = 1024 * 1024;

let bench: Bench;
let web: number;
let webTls: number;
const own = { key: '', cert: '', both: '' };
const client = { cert: '', both: '' };

before(async () => {
  bench = await Bench.open();
  const pems = await generate([{ name: 'commonName', value: 'localhost' }]);
  own.key = bench.write('key.pem', pems.private);
  own.cert = bench.write('cert.pem', pems.cert);
  own.both = bench.write('both.pem', `${pems.private}\n${pems.cert}`);
  const clients = await generate([{ name: 'commonName', value: 'a known client' }]);
  client.cert = bench.write('client-cert.pem', clients.cert);
  client.both = bench.write('client-both.pem', `${clients.private}\n${clients.cert}`);
  [web = 0, webTls = 0] = await freePorts(2);
  const tls = { TLS_PORT: `${webTls}`, TLS_KEY: own.key, TLS_CERT: own.cert, TLS_CA: client.cert };
  await bench.serve('app-web.mjs', { PORT: `${web}`, ...tls });
});
after(() => bench.close());

interface Answered {
  status: number | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}

async function get(port: number, path: string, options: RequestOptions = {}): Promise<Answered> {
  const asked = request({ port, host: '127.0.0.1', path, agent: false, ...options }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, headers: response.headers, body };
}

const seen = async (tap: Tap, path: string, options?: RequestOptions) =>
  JSON.parse((await get(tap.port('web'), path, options)).body) as {
    headers: Record<string, string>;
    url: string;
  };
const isPath = (path: string) => (flow: { request: { path: string } | undefined }) =>
  flow.request?.path.startsWith(path) ?? false;

describe('the ports of a tap', () => {
  it('open once the app listens', async () => {
    const [port = 0] = await freePorts(1);
    const tap = await bench.tap({ ports: { web: ['auto', port] }, isReady: false });
    await assert.rejects(once(connect(tap.port('web')), 'connect'), { code: 'ECONNREFUSED' });
    await bench.serve('app-web.mjs', { PORT: `${port}` });
    await tap.ready();
    assert.equal((await get(tap.port('web'), '/there')).status, 200);
  });

  it('lead to the address of the pod where nobody listens on localhost', async () => {
    const [port = 0] = await freePorts(1);
    await bench.serve('app-web.mjs', { PORT: `${port}`, HOST: '127.0.0.2' });
    const tap = await bench.tap({ ports: { web: ['http', port] }, env: { MITTENS_POD_IP: '127.0.0.2' } });
    assert.equal((await get(tap.port('web'), '/there')).status, 200);
  });

  it('are refused in what is no list of them', async () => {
    const tap = await bench.tap({ ports: { web: ['smtp', web] }, isReady: false });
    await once(tap.process, 'close');
    assert.match(tap.said(), /smtp:\d+ is not LISTEN=PROTOCOL:APP/);
  });
});

describe('forwarded headers', () => {
  it('are added if asked for, to those that are there', async () => {
    const tap = await bench.tap({ ports: { web: ['auto', web] }, options: ['mittens_forwarded=true'] });
    const first = (await seen(tap, '/first')).headers;
    const headers = { 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https' };
    const next = (await seen(tap, '/next-hop', { headers })).headers;
    assert.deepEqual([first['x-forwarded-for'], first['x-forwarded-proto']], ['127.0.0.1', 'http']);
    assert.deepEqual([next['x-forwarded-for'], next['x-forwarded-proto']], ['192.0.2.1, 127.0.0.1', 'https']);
  });
});

describe("the app's own certificates", () => {
  it('are what clients see that verify, and a client certificate is what the app sees', async () => {
    const tap = await bench.tap({
      ports: { https: ['https', webTls], auto: ['auto', webTls] },
      options: [`certs=*=${own.both}`, `client_certs=${client.both}`],
    });
    for (const name of ['https', 'auto'])
      for (const [mode, path] of [
        ['get', '/'],
        ['sse', '/events'],
        ['ws', '/'],
      ] as const) {
        const url = `https://localhost:${tap.port(name)}`;
        const answer = await bench.ask('ask-web.mjs', url, mode, { TLS_CA: own.cert });
        assert.equal(answer.error, undefined);
        if (mode === 'get') assert.equal(JSON.parse(answer.messages[0] ?? '').client, 'a known client');
        await tap.flows(isPath(path));
      }
  });
});

describe("mitmproxy's own options", () => {
  it('change requests and responses', async () => {
    const tap = await bench.tap({
      ports: { web: ['auto', web] },
      args: [
        ...['--modify-headers', '/~q/x-added/by mitmproxy'],
        ...['--modify-body', '@~s@"method"@"changed"'],
        ...['--map-remote', `|.*/from|http://localhost:${web}/to`],
      ],
    });
    const { headers, url, ...rest } = await seen(tap, '/from');
    assert.equal(headers['x-added'], 'by mitmproxy');
    assert.equal(url, '/to');
    assert.equal((rest as Record<string, string>).changed, 'GET');
  });

  it('answer from a file, as often as asked', async () => {
    const recording = await bench.tap({ ports: { web: ['auto', web] } });
    await get(recording.port('web'), '/replayed');
    await recording.flows(isPath('/replayed'));
    recording.process.kill('SIGUSR1');
    await recording.ended();
    const whole = await recording.copyFlows('replay.mitm');
    const tap = await bench.tap({ ports: { web: ['auto', web] }, args: ['--server-replay', whole] });
    for (let n = 0; n < 3; n++) await get(tap.port('web'), '/replayed');
    const flows = await tap.flows(isPath('/replayed'), 3);
    assert.deepEqual(
      flows.map(({ replayed }) => replayed),
      ['response', 'response', 'response'],
    );
  });
});

describe('a stream', () => {
  it('is recorded up to a bound, and says so', async () => {
    const tap = await bench.tap({ ports: { web: ['auto', web] } });
    const { body } = await get(tap.port('web'), `/bytes?n=${6 * MIB}&type=text/event-stream`);
    assert.equal(body.length, 6 * MIB);
    const [flow] = await tap.flows(isPath('/bytes'));
    assert.equal(flow?.response?.content?.length, 5 * MIB);
    assert.equal(flow?.comment, `mittens: cut to ${5 * MIB} bytes, the longest from ${6 * MIB}`);
  });

  it('of all that are open keeps no more than the bound of all', async () => {
    const options = [CHANGING];
    const constants = { STREAMS_BYTES: 1000 };
    const tap = await bench.tap({ ports: { web: ['auto', web] }, options, constants });
    for (const n of [1, 2]) {
      await get(tap.port('web'), `/bytes?n=${2000 + n}&type=text/event-stream`);
      const [flow] = await tap.flows(isPath(`/bytes?n=${2000 + n}`));
      // What has ended counts no more.
      assert.equal(flow?.response?.content?.length, 1000);
    }
  });

  it('that its client breaks off is recorded as far as it came', async () => {
    const tap = await bench.tap({ ports: { web: ['auto', web] } });
    const asked = request({ port: tap.port('web'), path: '/events?id=broken', agent: false }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    await once(response, 'data');
    response.destroy();
    const [flow] = await tap.flows(isPath('/events'));
    assert.equal(flow?.response?.content?.toString(), 'data: 1\n\n');
    assert.ok(flow?.error);
  });
});

describe('a connection that is silent for long', () => {
  it('stays open where it is no HTTP', async () => {
    const [lines = 0] = await freePorts(1);
    await bench.serve('app-tcp.mjs', { PORT: `${lines}` });
    // Of those before 11, ten minutes is the least, which no test waits for.
    const options = (await bench.knowsOption('tcp_timeout')) ? ['tcp_timeout=1'] : [];
    const tap = await bench.tap({ ports: { lines: ['tcp', lines] }, options });
    const answer = await bench.ask('ask-tcp.mjs', `tcp://localhost:${tap.port('lines')}`, 'late');
    assert.equal(answer.messages.at(-1), '221 bye');
  });
});

describe('mitmweb', () => {
  it('opens with its token, shows the flows with what streams, and leaves', async () => {
    const [page = 0] = await freePorts(1);
    const options = ['mittens_web_token=s3cret', `web_port=${page}`];
    const tap = await bench.tap({ ports: { web: ['auto', web] }, program: 'mitmweb', options });
    const stream = request({ port: tap.port('web'), path: '/events?id=web', agent: false }).end();
    const [response] = (await once(stream, 'response')) as [IncomingMessage];
    await once(response, 'data');
    const opened = await get(page, '/?token=s3cret');
    assert.equal(opened.status, 200);
    assert.match(opened.body, /<title>mitmproxy/);
    const cookie = (opened.headers['set-cookie'] ?? []).map((text) => text.split(';')[0]).join('; ');
    const flows = async () =>
      JSON.parse((await get(page, '/flows', { headers: { cookie } })).body) as Record<
        'request' | 'response',
        { path: string; contentLength: number | null }
      >[];
    while (
      !(await flows()).some((flow) => flow.request.path === '/events?id=web' && flow.response?.contentLength)
    );
    // Asking for a token is newer than some.
    const stranger = (await get(page, '/flows')).status;
    assert.equal(stranger, (await bench.knowsOption('web_password', 'mitmweb')) ? 403 : 200);
    response.destroy();
    tap.process.kill('SIGUSR1');
    assert.equal((await tap.ended()).code, 0);
  });
});
