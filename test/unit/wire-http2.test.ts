import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WireDecoder } from '../../scripts/lib/wire/decoder.ts';
import {
  connection,
  decode,
  decodeSteps,
  describeFlow,
  type Step,
  writeFrames,
  writeSteps,
} from './wire-file.ts';
import {
  begin,
  block,
  both,
  CONTINUATION,
  code,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  GOAWAY,
  HAS_PRIORITY,
  HEADERS,
  ok,
  over,
  PADDED,
  PING,
  PREFACE,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  request,
  SETTINGS,
  WINDOW_UPDATE,
} from './wire-http2-frames.ts';

const flowsOf = async (...steps: Step[]) => (await decodeSteps([...begin, ...steps])).map(describeFlow);

describe('a wire file of HTTP/2', () => {
  it('decodes streams that are open at once', async () => {
    const flows = await flowsOf(
      {
        c: Buffer.concat([
          frame(HEADERS, END_HEADERS, 1, request('/1', 'POST')),
          frame(HEADERS, both, 3, request('/3')),
        ]),
      },
      { s: frame(HEADERS, END_HEADERS, 3, ok) },
      { c: frame(DATA, 0, 1, 'sent ') },
      { s: frame(DATA, 0, 3, 'got ') },
      { c: frame(DATA, END_STREAM, 1, 'whole') },
      { s: Buffer.concat([frame(DATA, END_STREAM, 3, 'it'), frame(HEADERS, both, 1, ok)]) },
      ...over,
    );
    assert.deepEqual(flows, ['GET wool.example/3 | 200 "got it"', 'POST wool.example/1 "sent whole" | 200']);
  });

  it('decodes padding, priorities, and headers that go on in other frames', async () => {
    const [first, rest] = [request('/').subarray(0, 20), request('/').subarray(20)];
    const padded = Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 9]), first, Buffer.alloc(3)]);
    const flows = await flowsOf(
      { c: frame(HEADERS, PADDED | HAS_PRIORITY, 1, padded) },
      { c: Buffer.concat([frame(CONTINUATION, 0, 1), frame(CONTINUATION, END_HEADERS, 1, rest)]) },
      {
        c: Buffer.concat([
          frame(PRIORITY, 0, 1, '\0\0\0\0\x01'),
          frame(DATA, PADDED | END_STREAM, 1, '\x02body\0\0'),
        ]),
      },
      {
        s: Buffer.concat([
          frame(WINDOW_UPDATE, 0, 0, '\0\0\0\x01'),
          frame(PING, 0, 0, '12345678'),
          frame(0x42, 0, 0, 'x'),
        ]),
      },
      { s: Buffer.concat([frame(HEADERS, END_HEADERS, 1, ok), frame(DATA, END_STREAM, 1)]) },
      ...over,
    );
    assert.deepEqual(flows, ['GET wool.example/ "body" | 200']);
  });

  it('decodes interim responses, and trailers of both sides', async () => {
    const flows = await flowsOf(
      { c: frame(HEADERS, END_HEADERS, 1, request('/', 'POST')) },
      { c: Buffer.concat([frame(DATA, 0, 1, 'in'), frame(HEADERS, both, 1, block('x-sum: 1'))]) },
      { s: frame(HEADERS, END_HEADERS, 1, block(':status: 103', 'link: a')) },
      { s: Buffer.concat([frame(HEADERS, END_HEADERS, 1, ok), frame(DATA, 0, 1, 'out')]) },
      { s: frame(HEADERS, both, 1, block('grpc-status: 0')) },
      ...over,
    );
    assert.deepEqual(flows, [
      'POST wool.example/ "in" {x-sum: 1} | 200 "out" {grpc-status: 0} # answered first by 103',
    ]);
  });

  it('tells resets by their side and code, but not of what was answered', async () => {
    const flows = await flowsOf(
      { c: frame(HEADERS, both, 1, request('/1')) },
      { c: frame(RST_STREAM, 0, 1, code(8)) },
      { s: frame(HEADERS, both, 1, ok) },
      { c: frame(HEADERS, both, 3, request('/3')) },
      { s: frame(RST_STREAM, 0, 3, code(7)) },
      { c: frame(HEADERS, END_HEADERS, 5, request('/5', 'POST')) },
      { s: frame(HEADERS, both, 5, ok) },
      { s: frame(RST_STREAM, 0, 5, code(0)) },
      ...over,
    );
    assert.deepEqual(flows, [
      'GET wool.example/1 ! stream reset by client (CANCEL)',
      'GET wool.example/3 ! stream reset by server (REFUSED_STREAM)',
      'POST wool.example/5… | 200',
    ]);
  });

  it('gives streams that were open when the connection ended, with the reason of a GOAWAY', async () => {
    const open: Step = { c: frame(HEADERS, both, 1, request('/1')) };
    assert.deepEqual(await flowsOf(open, ...over), ['GET wool.example/1 ! peer closed connection']);
    const goAway: Step = { s: frame(GOAWAY, 0, 0, Buffer.concat([code(0), code(11)])) };
    assert.deepEqual(await flowsOf(open, goAway, ...over), [
      'GET wool.example/1 ! HTTP/2 connection closed by server (ENHANCE_YOUR_CALM)',
    ]);
  });

  it('shows what a server pushes', async () => {
    const promise = Buffer.concat([code(2), request('/style.css')]);
    const flows = await flowsOf(
      { c: frame(HEADERS, both, 1, request('/')) },
      { s: Buffer.concat([frame(PUSH_PROMISE, END_HEADERS, 1, promise), frame(HEADERS, both, 1, ok)]) },
      { s: Buffer.concat([frame(HEADERS, END_HEADERS, 2, ok), frame(DATA, END_STREAM, 2, 'css')]) },
      ...over,
    );
    assert.deepEqual(flows, [
      'GET wool.example/ | 200',
      'GET wool.example/style.css | 200 "css" # pushed by the server',
    ]);
  });

  it('keeps a request whose stream the server promises for another', async () => {
    const flows = await flowsOf(
      { c: frame(HEADERS, END_HEADERS, 1, request('/', 'POST')) },
      { s: frame(PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([code(1), request('/style.css')])) },
      { s: frame(HEADERS, both, 1, ok) },
      ...over,
    );
    assert.deepEqual(flows, [
      'POST wool.example/…',
      'GET wool.example/style.css | 200 # pushed by the server',
    ]);
  });

  it('gives the same flows of a connection whose server speaks first', async () => {
    const [client, server] = begin as [Step, Step];
    const rest: Step[] = [
      { c: frame(HEADERS, both, 1, request('/')) },
      { s: frame(HEADERS, both, 1, ok) },
      ...over,
    ];
    assert.deepEqual((await decodeSteps([server, client, ...rest])).map(describeFlow), [
      'GET wool.example/ | 200',
    ]);
  });

  it('decodes the response to a request of HTTP/1.1 that has asked for HTTP/2', async () => {
    const flows = await decodeSteps([
      {
        c: 'GET /up HTTP/1.1\r\nHost: wool\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \r\n\r\n',
      },
      {
        s: Buffer.concat([
          Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n'),
          frame(SETTINGS, 0, 0),
        ]),
      },
      {
        c: Buffer.concat([
          Buffer.from(PREFACE),
          frame(SETTINGS, 0, 0),
          frame(HEADERS, both, 3, request('/3')),
        ]),
      },
      { s: Buffer.concat([frame(HEADERS, END_HEADERS, 1, ok), frame(DATA, END_STREAM, 1, 'first')]) },
      { s: frame(HEADERS, both, 3, ok) },
      ...over,
    ]);
    assert.deepEqual(flows.map(describeFlow), [
      'GET /up | 200 "first" # answered first by 101 Switching Protocols',
      'GET wool.example/3 | 200',
    ]);
  });

  it('shows what is not HTTP/2 as bytes, and says why', async () => {
    const flows = await decodeSteps([
      begin[0] as Step,
      { c: frame(HEADERS, both, 1, request('/')) },
      { s: 'HTTP/1.1 400 Bad Request\r\n\r\n' },
      ...over,
    ]);
    assert.deepEqual(flows.map(describeFlow), [
      'GET wool.example/ ! HTTP/2 protocol error: the first frame is not SETTINGS',
      'TCP "< HTTP/1.1 400 Bad Request\\r\\n\\r\\n" # not read as HTTP/2: the first frame is not SETTINGS',
    ]);
    const [flow, tcp] = await flowsOf(
      { c: frame(HEADERS, both, 1, request('/')) },
      { s: frame(HEADERS, both, 1, '\xff\xff') },
      ...over,
    );
    assert.equal(flow, 'GET wool.example/ ! HTTP/2 protocol error: the block ends too early');
    assert.match(tcp ?? '', /# not read as HTTP\/2: the block ends too early$/);
  });

  it('ends at any byte with the flows so far', async () => {
    const file = writeSteps([
      ...begin,
      { c: frame(HEADERS, both, 1, request('/')) },
      { s: frame(HEADERS, both, 1, ok) },
      ...over,
    ]);
    for (let length = 0; length < file.length; length++)
      assert.equal((await decode(file.subarray(0, length))).error, undefined);
  });

  it('never fails when bytes within its frames are damaged', async () => {
    const headers = Buffer.concat([
      request('/', 'POST'),
      Buffer.from('8286844188', 'hex'),
      Buffer.alloc(8, 0x5f),
    ]);
    const steps: Step[] = [
      ...begin,
      { c: Buffer.concat([frame(HEADERS, END_HEADERS, 1, headers), frame(DATA, PADDED, 1, '\x02body\0\0')]) },
      { s: Buffer.concat([frame(HEADERS, END_HEADERS, 1, ok), frame(DATA, END_STREAM, 1, 'out')]) },
      { c: Buffer.concat([frame(CONTINUATION, END_HEADERS, 1, ok), frame(RST_STREAM, 0, 1, code(8))]) },
      ...over,
    ];
    for (let seed = 1, round = 0; round < 4000; round++) {
      const damaged = steps.map((step): Step => {
        if (typeof step === 'string' || 'gap' in step) return step;
        const bytes = Buffer.from('c' in step ? step.c : step.s);
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        if (seed % 3 === 0) bytes[(seed >>> 8) % bytes.length] = seed >>> 24;
        return 'c' in step ? { c: bytes } : { s: bytes };
      });
      assert.equal((await decode(writeSteps(damaged))).error, undefined);
    }
  });

  it('opens streams without end: the connection is read no further, and counted', () => {
    const decoder = new WireDecoder();
    let flows = 0;
    const take = (file: Buffer) => {
      for (const _ of decoder.push(file)) flows++;
    };
    take(writeSteps(begin));
    for (let stream = 1; stream < 400_000 && decoder.omissions.cut === 0; stream += 200) {
      const opened = Array.from({ length: 100 }, (_, at) =>
        frame(HEADERS, both, stream + 2 * at, request('/')),
      );
      take(writeFrames(connection([{ c: Buffer.concat(opened) }]).slice(1)));
    }
    assert.equal(decoder.omissions.cut, 1);
    assert.ok(flows > 30_000 && flows < 200_000, String(flows));
  });
});
