import { type Case, type Move, noise, traffic, trickle } from './case.ts';

/** Types of frames, https://www.rfc-editor.org/rfc/rfc9113#section-6. */
const TYPES = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
  unknown: 0x42,
};
const [END_STREAM, ACK, END_HEADERS, PADDED] = [1, 1, 4, 8];

function frame(
  type: keyof typeof TYPES,
  flags: number,
  stream: number,
  payload: string | Buffer = '',
): Buffer {
  const bytes = Buffer.from(payload as string, 'latin1');
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = TYPES[type];
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

/** A field that no table has, https://www.rfc-editor.org/rfc/rfc7541#section-6.2.2. */
const field = (name: string, value: string) =>
  `\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`;
/** Fields of the static table, https://www.rfc-editor.org/rfc/rfc7541#appendix-A; a new one at its name's place. */
const [GET, POST, HTTP, STATUS_200] = ['\x82', '\x83', '\x86', '\x88'];
const at = (index: number, value: string) => `${String.fromCharCode(index, value.length)}${value}`;
const path = (text: string) => at(4, text);
const AUTHORITY = at(0x41, 'wool');
const get = (text: string) => `${GET}${HTTP}${path(text)}${AUTHORITY}`;
const post = (text: string) => `${POST}${HTTP}${path(text)}${AUTHORITY}`;
/** The same authority again, from the dynamic table. */
const again = (text: string) => `${GET}${HTTP}${path(text)}\xbe`;

const all = (...frames: Buffer[]) => Buffer.concat(frames);
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const SETTINGS = frame('settings', 0, 0, '\0\x03\0\0\0\x64');
const SETTINGS_ACK = frame('settings', ACK, 0);
const GREETING: Move[] = [
  { c: all(PREFACE, SETTINGS) },
  { s: all(SETTINGS, SETTINGS_ACK) },
  { c: SETTINGS_ACK },
];
const ask = (stream: number, fields: string) => frame('headers', END_STREAM | END_HEADERS, stream, fields);
const headers = (stream: number, fields: string) => frame('headers', END_HEADERS, stream, fields);
const data = (stream: number, body: string | Buffer) => frame('data', 0, stream, body);
const lastData = (stream: number, body: string | Buffer) => frame('data', END_STREAM, stream, body);
const ok = (stream: number, body = 'ok') => all(headers(stream, STATUS_200), lastData(stream, body));
const OK: Move = { s: ok(1) };
const ASK: Move = { c: ask(1, get('/wool')) };
const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer).reverse().toString('latin1');
const goaway = (stream: number, code = 0) => frame('goaway', 0, 0, u32(stream) + u32(code));

const h2 = (title: string, moves: Move[], ...flows: string[]) =>
  traffic(`HTTP/2: ${title}`, [...GREETING, ...moves], ...flows);

export const HTTP2: Case[] = [
  h2('a GET', [ASK, OK], 'GET wool/wool | 200 "ok"'),
  h2(
    'a POST with a body in pieces',
    [{ c: headers(1, post('/up')) }, { c: data(1, 'ab') }, { c: lastData(1, 'cd') }, OK],
    'POST wool/up "abcd" | 200 "ok"',
  ),
  h2(
    'a response without a body',
    [ASK, { s: frame('headers', END_STREAM | END_HEADERS, 1, '\x89') }],
    'GET wool/wool | 204',
  ),
  h2(
    'a call of gRPC, with trailers',
    [
      {
        c: headers(
          1,
          post('/wool.Mill/Spin') + field('content-type', 'application/grpc') + field('te', 'trailers'),
        ),
      },
      { c: lastData(1, '\0\0\0\0\x02hi') },
      {
        s: all(headers(1, STATUS_200 + field('content-type', 'application/grpc')), data(1, '\0\0\0\0\x02ho')),
      },
      { s: ask(1, field('grpc-status', '0')) },
    ],
    'POST wool/wool.Mill/Spin "\\u0000\\u0000\\u0000\\u0000\\u0002hi" | 200 "\\u0000\\u0000\\u0000\\u0000\\u0002ho" {grpc-status: 0}',
  ),
  h2(
    'a call of gRPC that fails at once',
    [
      {
        c: all(
          headers(1, post('/wool.Mill/Spin') + field('content-type', 'application/grpc')),
          lastData(1, '\0\0\0\0\0'),
        ),
      },
      { s: ask(1, STATUS_200 + field('content-type', 'application/grpc') + field('grpc-status', '5')) },
    ],
    'POST wool/wool.Mill/Spin "\\u0000\\u0000\\u0000\\u0000\\u0000" | 200',
  ),
  h2(
    'messages of gRPC both ways in turns',
    [
      { c: headers(1, post('/wool.Mill/Talk') + field('content-type', 'application/grpc')) },
      { c: data(1, '\0\0\0\0\x02c1') },
      {
        s: all(headers(1, STATUS_200 + field('content-type', 'application/grpc')), data(1, '\0\0\0\0\x02s1')),
      },
      { c: lastData(1, '\0\0\0\0\x02c2') },
      { s: data(1, '\0\0\0\0\x02s2') },
      { s: ask(1, field('grpc-status', '0')) },
    ],
    'POST wool/wool.Mill/Talk "\\u0000\\u0000\\u0000\\u0000\\u0002c1\\u0000\\u0000\\u0000\\u0000\\u0002c2" | 200 "\\u0000\\u0000\\u0000\\u0000\\u0002s1\\u0000\\u0000\\u0000\\u0000\\u0002s2" {grpc-status: 0}',
  ),
  h2(
    'trailers of a request',
    [{ c: all(headers(1, post('/up')), data(1, 'ab'), ask(1, field('x-sum', '2'))) }, OK],
    'POST wool/up "ab" {x-sum: 2} | 200 "ok"',
  ),
  h2(
    'three streams at once, answered from the last on',
    [
      { c: all(ask(1, get('/1')), ask(3, again('/3')), ask(5, again('/5'))) },
      { s: all(ok(5, 'five'), ok(3, 'three'), ok(1, 'one')) },
    ],
    'GET wool/5 | 200 "five"',
    'GET wool/3 | 200 "three"',
    'GET wool/1 | 200 "one"',
  ),
  h2(
    'two streams whose frames alternate',
    [
      { c: all(headers(1, post('/1')), headers(3, `${POST}${HTTP}${path('/3')}\xbe`)) },
      { c: all(data(1, 'a'), data(3, 'x'), lastData(1, 'b'), lastData(3, 'y')) },
      {
        s: all(
          headers(1, STATUS_200),
          headers(3, STATUS_200),
          data(3, 'x'),
          data(1, 'a'),
          lastData(3, ''),
          lastData(1, ''),
        ),
      },
    ],
    'POST wool/3 "xy" | 200 "x"',
    'POST wool/1 "ab" | 200 "a"',
  ),
  h2(
    'a head in three frames',
    [
      {
        c: all(
          frame('headers', END_STREAM, 1, get('/parts')),
          frame('continuation', 0, 1, field('x-a', '1')),
          frame('continuation', END_HEADERS, 1, field('x-b', '2')),
        ),
      },
      OK,
    ],
    'GET wool/parts | 200 "ok"',
  ),
  h2(
    'frames with padding and a priority',
    [
      {
        c: frame(
          'headers',
          END_STREAM | END_HEADERS | PADDED | 0x20,
          1,
          `\x03\0\0\0\0\x10${get('/pad')}\0\0\0`,
        ),
      },
      { s: all(headers(1, STATUS_200), frame('data', END_STREAM | PADDED, 1, '\x04ok\0\0\0\0')) },
    ],
    'GET wool/pad | 200 "ok"',
  ),
  h2(
    'a frame of a kind that nobody knows',
    [{ c: frame('unknown', 0xff, 0, 'what') }, ASK, { s: frame('unknown', 0, 1, 'that') }, OK],
    'GET wool/wool | 200 "ok"',
  ),
  h2(
    'pings of both',
    [
      { c: frame('ping', 0, 0, 'are you ') },
      { s: frame('ping', ACK, 0, 'are you ') },
      { s: frame('ping', 0, 0, 'and you?') },
      { c: frame('ping', ACK, 0, 'and you?') },
      ASK,
      OK,
    ],
    'GET wool/wool | 200 "ok"',
  ),
  h2(
    'windows that grow',
    [
      { c: frame('window', 0, 0, u32(1_000_000)) },
      ASK,
      { s: headers(1, STATUS_200) },
      { c: frame('window', 0, 1, u32(1000)) },
      { s: lastData(1, 'ok') },
    ],
    'GET wool/wool | 200 "ok"',
  ),
  h2('a priority', [{ c: frame('priority', 0, 3, '\0\0\0\0\x10') }, ASK, OK], 'GET wool/wool | 200 "ok"'),
  h2(
    'settings in the middle',
    [
      ASK,
      { s: all(frame('settings', 0, 0, '\0\x04\0\0\x40\0'), headers(1, STATUS_200)) },
      { c: SETTINGS_ACK },
      { s: lastData(1, 'ok') },
    ],
    'GET wool/wool | 200 "ok"',
  ),
  h2(
    'settings that nobody knows',
    [{ c: frame('settings', 0, 0, '\x77\x77\0\0\0\x01') }, { s: SETTINGS_ACK }, ASK, OK],
    'GET wool/wool | 200 "ok"',
  ),
  h2(
    'a table of fields that gets smaller',
    [ASK, OK, { c: ask(3, `\x20${get('/3')}`) }, { s: ok(3) }],
    'GET wool/wool | 200 "ok"',
    'GET wool/3 | 200 "ok"',
  ),
  h2(
    'a client that cancels',
    [ASK, { s: all(headers(1, STATUS_200), data(1, 'some')) }, { c: frame('reset', 0, 1, u32(8)) }],
    'GET wool/wool | 200 "some"… ! stream reset by client (CANCEL)',
  ),
  h2(
    'an app that refuses a stream',
    [ASK, { s: frame('reset', 0, 1, u32(7)) }, { c: ask(3, again('/3')) }, { s: ok(3) }],
    'GET wool/wool ! stream reset by server (REFUSED_STREAM)',
    'GET wool/3 | 200 "ok"',
  ),
  h2(
    'an app that resets a stream in the middle of its body',
    [ASK, { s: all(headers(1, STATUS_200), data(1, 'some')) }, { s: frame('reset', 0, 1, u32(2)) }],
    'GET wool/wool | 200 "some"… ! stream reset by server (INTERNAL_ERROR)',
  ),
  h2(
    'an app that says goodbye and answers',
    [ASK, { s: goaway(1) }, OK, 'app ends'],
    'GET wool/wool | 200 "ok"',
  ),
  h2('a client that says goodbye', [ASK, OK, { c: goaway(0) }], 'GET wool/wool | 200 "ok"'),
  h2(
    'a connection that breaks',
    [ASK, { s: headers(1, STATUS_200) }, 'app resets'],
    'GET wool/wool | 200… ! peer closed connection',
  ),
  h2('a client that ends its half', [ASK, 'client ends', OK, 'app ends'], 'GET wool/wool | 200 "ok"'),
  h2(
    '103 before the response',
    [ASK, { s: headers(1, `${at(8, '103')}${field('link', '</a.css>')}`) }, OK],
    'GET wool/wool | 200 "ok" # answered first by 103',
  ),
  h2(
    'HEAD',
    [
      { c: ask(1, `${at(2, 'HEAD')}${HTTP}${path('/head')}${AUTHORITY}`) },
      { s: ask(1, STATUS_200 + field('content-length', '5000')) },
    ],
    'HEAD wool/head | 200',
  ),
  h2(
    'server-sent events',
    [
      ASK,
      { s: headers(1, STATUS_200 + field('content-type', 'text/event-stream')) },
      { s: data(1, 'data: 1\n\n') },
      { s: data(1, 'data: 2\n\n') },
      { s: lastData(1, '') },
    ],
    'GET wool/wool | 200 "data: 1\\n\\ndata: 2\\n\\n"',
  ),
  h2(
    'a body in frames of 16 KiB, as much as the window allows',
    [
      ASK,
      { s: headers(1, STATUS_200) },
      { s: all(...[1, 2, 3].map((n) => data(1, noise(`h2 ${n}`, 16_384))), lastData(1, 'end')) },
    ],
    'GET wool/wool | 200 "(49155 bytes, 48d4ef08)"',
  ),
  h2(
    'frames that are cut anywhere',
    [...trickle('c', ask(1, get('/cut')).toString('latin1')), ...trickle('s', ok(1).toString('latin1'))],
    'GET wool/cut | 200 "ok"',
  ),
  h2(
    'a frame that is too large',
    [ASK, { s: Buffer.concat([frame('data', 0, 1).fill(0xff, 0, 3), Buffer.alloc(100)]) }, 'app ends'],
    'GET wool/wool ! peer closed connection',
  ),
  h2(
    'fields that cannot be read',
    [{ c: ask(1, '\xff\xff\xff\xff\xff\xff') }, { s: goaway(0, 9) }, 'app ends'],
    'TCP "> \\u0000\\u0000\\u0006\\u0001\\u0005\\u0000\\u0000\\u0000\\u0001ÿÿÿÿÿÿ" "< \\u0000\\u0000\\b\\u0007\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\t" # not read as HTTP/2: an integer that is too large',
  ),
  traffic(
    'HTTP/2: an app that speaks first',
    [{ s: SETTINGS }, { c: all(PREFACE, SETTINGS, SETTINGS_ACK) }, { s: SETTINGS_ACK }, ASK, OK],
    'GET wool/wool | 200 "ok"',
  ),
  traffic('HTTP/2: the preface alone', [{ c: PREFACE }]),
  traffic(
    'HTTP/2: the preface and then no frames',
    [{ c: all(PREFACE, Buffer.from('hello there, how are you?')) }, 'app ends'],
    'TCP "> hello there, how are you?" # not read as HTTP/2: the first frame is not SETTINGS',
  ),
  traffic(
    'HTTP/2: half of the preface',
    [{ c: PREFACE.subarray(0, 12) }, 'client ends'],
    'TCP "> PRI * HTTP/2"',
  ),
  traffic(
    'HTTP/2: the preface answered in HTTP/1.1',
    [
      { c: all(PREFACE, SETTINGS) },
      { s: 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n' },
      'app ends',
    ],
    'TCP "< HTTP/1.1 400 Bad Request\\r\\nContent-Length: 0\\r\\n\\r\\n" # not read as HTTP/2: the first frame is not SETTINGS',
  ),
];
