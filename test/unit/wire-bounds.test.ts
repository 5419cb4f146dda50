import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { constants, deflateRawSync } from 'node:zlib';
import { MAX_BODY_BYTES } from '../../scripts/lib/wire/body.ts';
import { WireDecoder } from '../../scripts/lib/wire/decoder.ts';
import { socketFrame } from './wire-exchanges.ts';
import {
  beginning,
  connection,
  decode,
  decodeSteps,
  describeFlow,
  type Step,
  writeFrames,
  writeSteps,
} from './wire-file.ts';

const MIB = 1024 * 1024;
const GET = 'GET / HTTP/1.1\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const SOCKET: Step[] = [
  { c: 'GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n' },
  { s: 'HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n' },
];

/** Feeds a decoder, and gives the most memory that it had beside what it gave, in bytes, as far as the system tells. */
function feed(pieces: Iterable<Buffer>): { flows: number; peak: number; decoder: WireDecoder } {
  const decoder = new WireDecoder();
  const before = process.memoryUsage().rss;
  let [flows, peak] = [0, 0];
  const count = (given: Iterable<unknown>) => {
    for (const _ of given)
      if (++flows % 1000 === 0) peak = Math.max(peak, process.memoryUsage().rss - before);
  };
  for (const piece of pieces) {
    count(decoder.push(piece));
    peak = Math.max(peak, process.memoryUsage().rss - before);
  }
  count(decoder.end());
  return { flows, peak, decoder };
}

describe('bytes that are missing from a wire file', () => {
  it('let HTTP/1 begin again at the next request, and show what is before it as bytes', async () => {
    const steps: Step[] = [
      { c: GET },
      { s: OK },
      { c: 'GET /lost HTTP/1.1\r\n\r\n' },
      { gap: { client: 10, app: 20 } },
      { s: 'rest of a response' },
      { c: 'rest of a request' },
      { c: 'GET /next HTTP/1.1\r\n\r\n' },
      { s: OK },
      'app ends',
      'over',
    ];
    assert.deepEqual((await decodeSteps(steps)).map(describeFlow), [
      'GET / | 200 OK "ok"',
      'GET /lost ! 10 bytes of the client and 20 of the app are missing',
      'TCP "< rest of a response" "> rest of a request" # joined midway: 10 bytes of the client and 20 of the app are missing',
      'GET /next | 200 OK "ok"',
    ]);
  });

  it('let HTTP/1 begin again once more when what looked like a request was none', async () => {
    const steps: Step[] = [
      { c: GET },
      { gap: { client: 1, app: 0 } },
      { c: 'GET / HTTP/1.1\r\nno header\r\n\r\n' },
      { c: GET },
      { s: OK },
      'app ends',
      'over',
    ];
    assert.deepEqual((await decodeSteps(steps)).map(describeFlow), [
      'GET / ! 1 bytes of the client and 0 of the app are missing',
      'TCP "> GET / HTTP/1.1\\r\\nno header\\r\\n\\r\\n" # not read as HTTP: Invalid header line: "no header"',
      'GET / | 200 OK "ok"',
    ]);
  });

  it('show a WebSocket, and what is neither, as bytes from there on', async () => {
    const gap: Step = { gap: { client: 0, app: 5 } };
    const note = '# joined midway: 0 bytes of the client and 5 of the app are missing';
    const socket = await decodeSteps([...SOCKET, gap, { s: '\x81\x02hi' }, 'app ends', 'over']);
    assert.deepEqual(socket.map(describeFlow), [
      'GET / | 101 OK [; open] ! 0 bytes of the client and 5 of the app are missing',
      `TCP "< \x81\\u0002hi" ${note}`,
    ]);
    const tcp = await decodeSteps([{ c: '*1\r\n' }, gap, { s: '+OK' }, 'app ends', 'over']);
    assert.deepEqual(tcp.map(describeFlow), [
      `TCP "> *1\\r\\n" # 0 bytes of the client and 5 of the app are missing`,
      `TCP "< +OK" ${note}`,
    ]);
  });
});

describe('a wire file that goes on in another', () => {
  it('begins its numbers anew', async () => {
    const first = writeFrames([beginning(), ...connection([{ c: GET }])]);
    const second = writeSteps([{ c: 'GET /2 HTTP/1.1\r\n\r\n' }, { s: OK }, 'over']);
    const { flows } = await decode(Buffer.concat([first, second]));
    assert.deepEqual(flows.map(describeFlow), [
      'GET / ! the capture ended before the connection did',
      'GET /2 | 200 OK "ok"',
    ]);
  });

  it('says how many frames belong to no connection, and how many bytes are missing', async () => {
    const frames = connection([{ c: GET }, { s: OK }, 'over']).slice(1);
    const end = {
      type: 'Z',
      connection: 0,
      time: 9,
      payload: Buffer.from('{"connections": 9, "skipped": 4}'),
    };
    const { flows, omissions } = await decode(writeFrames([beginning(), ...frames, end]));
    assert.deepEqual(flows, []);
    assert.deepEqual(omissions, [
      '4 bytes are missing: they were not written',
      '3 frames of connections that were not open are left out',
    ]);
  });

  it('has the port of an app that refused the connection', async () => {
    const opening = { client: ['10.0.0.7', 1], listen: 7777, server: null };
    const frames = connection([{ c: GET }, 'app resets', 'over']).map((frame) =>
      frame.type === 'O' ? { ...frame, payload: Buffer.from(JSON.stringify(opening)) } : frame,
    );
    const { flows, error } = await decode(writeFrames([beginning(), ...frames]));
    assert.equal(error, undefined);
    assert.deepEqual(flows.map(describeFlow), ['GET / ! server refused connection']);
    assert.deepEqual([flows[0]?.server.peer, flows[0]?.server.address], [undefined, ['localhost', 8080]]);
  });

  it('is refused when its version is another', async () => {
    const begin = { ...beginning(), payload: Buffer.from('{"wire": 2}') };
    const { error } = await decode(writeFrames([begin]));
    assert.match(String(error), /from byte 0 on: frame H: its version is 2, and 1 is known$/);
  });
});

describe('what is kept of a wire file', () => {
  it('is the first 5 MiB of a body, and the comment says so', async () => {
    const length = MAX_BODY_BYTES + 1000;
    const [flow] = await decodeSteps([
      { c: GET },
      { s: `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n` },
      { s: Buffer.alloc(length, 'x') },
      'app ends',
      'over',
    ]);
    assert.equal(flow?.response?.content?.length, MAX_BODY_BYTES);
    assert.equal(flow?.comment, `mittens: cut to ${MAX_BODY_BYTES} bytes, the longest from ${length}`);
  });

  it('is the first 5 MiB of a message that inflates to more, and the messages after it', async () => {
    const bomb = deflateRawSync(Buffer.alloc(40 * MIB), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(
      0,
      -4,
    );
    const inflated = await decodeSteps([
      ...SOCKET,
      { s: socketFrame(0xc1, bomb) },
      { s: socketFrame(0x81, 'ok') },
      'over',
    ]);
    const [first, second] = inflated[0]?.websocket?.messages ?? [];
    assert.deepEqual([first?.content.length, second?.content.toString()], [MAX_BODY_BYTES, 'ok']);
    assert.match(inflated[0]?.comment ?? '', /cut to 5242880 bytes, the longest from 41943040/);
  });

  it('is the last 64 MiB of a connection', async () => {
    const piece = Buffer.alloc(65_536, 'x');
    const steps: Step[] = [
      { s: 'first' },
      ...Array.from({ length: 1100 }, () => ({ s: piece })),
      { s: 'last' },
      'over',
    ];
    const [flow] = await decodeSteps(steps, 'tcp');
    const kept = flow?.messages.reduce((sum, { content }) => sum + content.length, 0) ?? 0;
    assert.ok(kept > 63 * MIB && kept <= 64 * MIB, String(kept));
    assert.equal(flow?.messages.at(-1)?.content.toString(), 'last');
    assert.match(flow?.comment ?? '', /^mittens: only its last messages/m);
  });
});

describe('a hostile wire file', () => {
  /** The bound of what is open is 256 MiB; the rest is what the collector has not taken away yet. */
  const MAX_PEAK = 600 * MIB;

  it('has a head without an end: it is shown as bytes', () => {
    function* endless() {
      yield writeFrames([beginning(), ...connection([{ c: 'GET / HTTP/1.1\r\n' }])]);
      const frame = writeFrames(connection([{ c: 'x: y\r\n'.repeat(10_000) }]).slice(1));
      for (let count = 0; count < 3000; count++) yield frame;
    }
    const { flows, peak } = feed(endless());
    assert.equal(flows, 1);
    assert.ok(peak < MAX_PEAK, `${peak / MIB} MiB`);
  });

  it('has a value that goes on in very many lines: it is read at once', async () => {
    const lines = 300_000;
    const [flow] = await decodeSteps([
      { c: `GET / HTTP/1.1\r\nx: y\r\n${' z\n'.repeat(lines)}\r\n` },
      { s: OK },
      'over',
    ]);
    assert.equal(flow?.request?.headers[0]?.[1].length, 1 + lines * '\r\n z'.length);
  });

  it('opens connections without end: those beyond the bound are left out, and counted', () => {
    function* endless() {
      yield writeFrames([beginning()]);
      for (let id = 1; id < 60_000; id++) yield writeFrames(connection([{ c: GET }], id));
    }
    const { flows, peak, decoder } = feed(endless());
    assert.ok(decoder.omissions.cut > 20_000);
    assert.ok(flows > 10_000);
    assert.ok(peak < MAX_PEAK, `${peak / MIB} MiB`);
  });

  it('asks on one connection without end: it is read no further', () => {
    function* endless() {
      yield writeFrames([beginning(), ...connection([])]);
      const frame = writeFrames(connection([{ c: GET.repeat(3000) }]).slice(1));
      for (let count = 0; count < 60; count++) yield frame;
    }
    const { flows, peak, decoder } = feed(endless());
    assert.equal(decoder.omissions.cut, 1);
    assert.ok(flows > 50_000);
    assert.ok(peak < MAX_PEAK, `${peak / MIB} MiB`);
  });

  it('opens tunnels within tunnels: the inner ones are shown as bytes', async () => {
    const steps: Step[] = [
      { c: 'CONNECT a:1 HTTP/1.1\r\n\r\n'.repeat(5000) },
      { s: 'HTTP/1.1 200 OK\r\n\r\n'.repeat(5000) },
      'over',
    ];
    const flows = await decodeSteps(steps);
    assert.equal(flows.at(-1)?.type, 'tcp');
    assert.ok(flows.length < 20);
  });

  it('claims a length that no frame has: it is refused', async () => {
    const file = writeSteps([{ c: GET }, { s: OK }]);
    const lie = Buffer.from(file);
    lie.writeUInt32BE(0xffffffff, lie.length - Buffer.from(OK).length - 4);
    const { flows, error } = await decode(lie);
    assert.equal(flows.length, 1);
    assert.match(String(error), /a frame of 4294967295 bytes/);
  });
});
