import { answer, ask, head, post, socketFrame } from '../unit/wire-exchanges.ts';
import { type Case, type Move, noise, traffic, trickle } from './case.ts';

const socketAsk = (...more: string[]): Move => ({
  c: ask(
    '/chat',
    'Connection: keep-alive, Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: a25pdHRpbmcgbmVlZGxlcw==',
    ...more,
  ),
});
/** RFC 6455, 4.2.2: of the key above. */
const ACCEPT = 'Sec-WebSocket-Accept: qkbWclYeyqc5sjM5+la9UJA/VHE=';
const taken = (...more: string[]) =>
  head('HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', ACCEPT, ...more);
const TAKEN: Move = { s: taken() };
const MASK = [0x11, 0, 0xfe, 0x42];
const c = (first: number, payload: string | Buffer): Move => ({ c: socketFrame(first, payload, MASK) });
const s = (first: number, payload: string | Buffer): Move => ({ s: socketFrame(first, payload) });
const BYE = '\x03\xe8';
const CLOSING: Move[] = [c(0x88, BYE), s(0x88, BYE)];
const DEFLATE = 'Sec-WebSocket-Extensions: permessage-deflate';
/** "hello", compressed as in RFC 7692, 7.2.3.1. */
const HELLO = '\xf2\x48\xcd\xc9\xc9\x07\x00';

const socket = (title: string, shown: string, ...moves: Move[]) =>
  traffic(
    `a WebSocket: ${title}`,
    [socketAsk(), TAKEN, ...moves],
    `GET /chat | 101 Switching Protocols ${shown}`,
  );

const SOCKETS: Case[] = [
  socket('texts both ways', '[> hi, < ho; client 1000]', c(0x81, 'hi'), s(0x81, 'ho'), ...CLOSING),
  socket(
    'bytes both ways',
    '[> 00ff, < ff00; client 1000]',
    c(0x82, '\x00\xff'),
    s(0x82, '\xff\x00'),
    ...CLOSING,
  ),
  socket('messages without anything', '[> , < ; client 1000]', c(0x81, ''), s(0x82, ''), ...CLOSING),
  socket(
    'fragments of both, with a ping between',
    '[> knit, < purl; client 1000]',
    c(0x01, 'kn'),
    c(0x89, 'p'),
    s(0x8a, 'p'),
    c(0x80, 'it'),
    s(0x01, 'pu'),
    s(0x00, 'r'),
    s(0x80, 'l'),
    ...CLOSING,
  ),
  socket('a fragment without anything', '[< end; client 1000]', s(0x01, ''), s(0x80, 'end'), ...CLOSING),
  socket(
    'lengths of 126 and 65,536 bytes',
    '[> (126 bytes, f5950e8b), < (65536 bytes, c68a719a); client 1000]',
    c(0x82, noise('ws', 126)),
    s(0x82, noise('ws', 65_536)),
    ...CLOSING,
  ),
  socket(
    'pings of both, and pongs that nobody asked for',
    '[; client 1000]',
    c(0x89, 'a'),
    s(0x8a, 'a'),
    s(0x89, 'b'),
    c(0x8a, 'b'),
    s(0x8a, 'c'),
    ...CLOSING,
  ),
  socket(
    'frames that are cut anywhere',
    '[< hello; client 1000]',
    ...trickle('s', '\x81\x05hello'),
    ...CLOSING,
  ),
  socket(
    'two frames in a piece',
    '[< a, < b; client 1000]',
    { s: Buffer.concat([socketFrame(0x81, 'a'), socketFrame(0x81, 'b')]) },
    ...CLOSING,
  ),
  socket(
    'both at once',
    '[> from the client, < from the app; client 1000]',
    { c: socketFrame(0x81, 'from the client', MASK), s: socketFrame(0x81, 'from the app') },
    ...CLOSING,
  ),
  socket(
    'a code of the app and a reason',
    '[; server 4001]',
    s(0x88, '\x0f\xa1bye'),
    c(0x88, '\x0f\xa1'),
    'app ends',
  ),
  socket('a code that may not be sent', '[; server 1006]', s(0x88, '\x03\xee'), 'app ends'),
  socket('a close without a code', '[; client 1005]', c(0x88, ''), s(0x88, ''), 'app ends'),
  socket('a code of one byte', '[; client 1005]', c(0x88, '\x03'), 'app ends'),
  socket(
    'a message after the close',
    '[> late; server 1000]',
    s(0x88, BYE),
    c(0x81, 'late'),
    c(0x88, BYE),
    'app ends',
  ),
  socket('an end without a close', '[< hi; server 1006]', s(0x81, 'hi'), 'app ends'),
  socket('a client that resets', '[> hi; client 1006]', c(0x81, 'hi'), 'client resets'),
  socket('an app that resets', '[< hi; server 1006]', s(0x81, 'hi'), 'app resets'),
  socket(
    'a text that is not UTF-8',
    '[< a��, < ok; client 1000]',
    s(0x81, 'a\xff\xfe'),
    s(0x81, 'ok'),
    ...CLOSING,
  ),
  socket(
    'a client that does not mask',
    '[> bare, < ok; client 1000]',
    { c: socketFrame(0x81, 'bare') },
    s(0x81, 'ok'),
    ...CLOSING,
  ),
  socket(
    'an app that masks',
    '[< masked; client 1000]',
    { s: socketFrame(0x81, 'masked', MASK) },
    ...CLOSING,
  ),
  traffic(
    'a WebSocket: a frame with a bit that nobody agreed on',
    [socketAsk(), TAKEN, s(0xc1, 'hi'), s(0x81, 'ok')],
    'GET /chat | 101 Switching Protocols [< hi, < ok; client 1006] # messages of an unknown extension are shown as they were sent',
  ),
  traffic(
    'a WebSocket: a frame of an unknown kind',
    [socketAsk(), TAKEN, s(0x8b, 'hi'), s(0x81, 'ok')],
    'GET /chat | 101 Switching Protocols [; open] ! WebSocket protocol error: unknown opcode 11',
    'TCP "< \u008b\\u0002hi\u0081\\u0002ok" # not read as WebSocket: unknown opcode 11',
  ),
  traffic(
    'a WebSocket: a fragment that continues nothing',
    [socketAsk(), TAKEN, s(0x80, 'hi'), s(0x81, 'ok')],
    'GET /chat | 101 Switching Protocols [; open] ! WebSocket protocol error: a continuation of no message',
    'TCP "< \u0080\\u0002hi\u0081\\u0002ok" # not read as WebSocket: a continuation of no message',
  ),
  traffic(
    'a WebSocket: a ping of 126 bytes',
    [socketAsk(), TAKEN, s(0x89, 'p'.repeat(126)), s(0x81, 'ok')],
    'GET /chat | 101 Switching Protocols [; open] ! WebSocket protocol error: a control frame that is too long or in parts',
    'TCP "< (134 bytes, d288a2c2)" # not read as WebSocket: a control frame that is too long or in parts',
  ),
  traffic(
    'a WebSocket: text in the place of frames',
    [socketAsk(), TAKEN, { s: 'no frame at all\n' }],
    'GET /chat | 101 Switching Protocols [; open] ! WebSocket protocol error: unknown opcode 14',
    'TCP "< no frame at all\\n" # not read as WebSocket: unknown opcode 14',
  ),
  traffic(
    'a WebSocket: a frame together with the head',
    [socketAsk(), { s: Buffer.concat([Buffer.from(taken()), socketFrame(0x81, 'early')]) }, ...CLOSING],
    'GET /chat | 101 Switching Protocols [< early; client 1000]',
  ),
  traffic(
    'a WebSocket: compressed, with a protocol',
    [
      socketAsk(DEFLATE, 'Sec-WebSocket-Protocol: mqtt'),
      { s: taken(DEFLATE, 'Sec-WebSocket-Protocol: mqtt') },
      s(0xc1, HELLO),
      c(0xc1, HELLO),
      s(0x81, 'plain'),
      ...CLOSING,
    ],
    'GET /chat | 101 Switching Protocols [< Hello, > Hello, < plain; client 1000]',
  ),
  traffic(
    'a WebSocket: compressed with nothing to look back to',
    [
      socketAsk(`${DEFLATE}; client_no_context_takeover`),
      { s: taken(`${DEFLATE}; client_no_context_takeover; server_no_context_takeover`) },
      s(0xc1, HELLO),
      s(0xc1, HELLO),
      ...CLOSING,
    ],
    'GET /chat | 101 Switching Protocols [< Hello, < Hello; client 1000]',
  ),
  traffic(
    'a WebSocket: compressed by one that did not agree',
    [socketAsk(DEFLATE), TAKEN, s(0xc1, HELLO), s(0x81, 'ok')],
    'GET /chat | 101 Switching Protocols [< �H���\u0007\u0000, < ok; client 1006] # messages of an unknown extension are shown as they were sent',
  ),
  traffic(
    'a WebSocket: what is no compression',
    [socketAsk(DEFLATE), { s: taken(DEFLATE) }, s(0xc1, '\xff\xff\xff\xff'), s(0x81, 'ok'), ...CLOSING],
    'GET /chat | 101 Switching Protocols [< ����, < ok; client 1000] # messages that do not inflate are shown as they were sent',
  ),
  traffic(
    'a WebSocket: an extension that nobody knows',
    [
      socketAsk('Sec-WebSocket-Extensions: x-knit'),
      { s: taken('Sec-WebSocket-Extensions: x-knit') },
      s(0xa1, 'hi'),
      ...CLOSING,
    ],
    'GET /chat | 101 Switching Protocols [< hi; client 1000] # messages of an unknown extension are shown as they were sent',
  ),
  traffic(
    'a WebSocket: taken without the proof',
    [
      socketAsk(),
      { s: head('HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade') },
      s(0x81, 'hi'),
      ...CLOSING,
    ],
    'GET /chat | 101 Switching Protocols [< hi; client 1000]',
  ),
  traffic(
    'a WebSocket: taken with a wrong proof',
    [socketAsk(), { s: taken().replace(ACCEPT, 'Sec-WebSocket-Accept: no') }, s(0x81, 'hi'), ...CLOSING],
    'GET /chat | 101 Switching Protocols [< hi; client 1000]',
  ),
  traffic(
    'a WebSocket: refused, and another request',
    [socketAsk(), { s: answer('no', '403 Forbidden') }, { c: ask('/next') }, { s: answer('ok') }],
    'GET /chat | 403 Forbidden "no"',
    'GET /next | 200 OK "ok"',
  ),
  traffic(
    'a WebSocket: a version that the app does not speak',
    [
      {
        c: ask(
          '/chat',
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Version: 99',
          'Sec-WebSocket-Key: eA==',
        ),
      },
      { s: answer('', '426 Upgrade Required', 'Sec-WebSocket-Version: 13') },
    ],
    'GET /chat | 426 Upgrade Required',
  ),
];

const to = (protocol: string) => ['Connection: Upgrade', `Upgrade: ${protocol}`];
const switched = (protocol: string) => head('HTTP/1.1 101 Switching Protocols', ...to(protocol));

const OTHERS: Case[] = [
  traffic(
    'an upgrade to TCP after a body, whose halves end one by one',
    [
      { c: `${post('/exec', ...to('tcp'), 'Content-Type: application/json', 'Content-Length: 2')}{}` },
      { s: head('HTTP/1.1 101 UPGRADED', 'Content-Type: application/vnd.docker.raw-stream', ...to('tcp')) },
      { c: 'ping\n' },
      { s: 'pong\n' },
      'client ends',
      { s: 'bye\n' },
      'app ends',
    ],
    'POST /exec "{}" | 101 UPGRADED',
    'TCP "> ping\\n" "< pong\\nbye\\n"',
  ),
  traffic(
    'an upgrade whose app speaks at once',
    [
      { c: ask('/exec', ...to('SPDY/3.1')) },
      { s: `${switched('SPDY/3.1')}\x80\x03\0\x04` },
      { c: '\x80\x03\0\x01' },
    ],
    'GET /exec | 101 Switching Protocols',
    'TCP "< \u0080\\u0003\\u0000\\u0004" "> \u0080\\u0003\\u0000\\u0001"',
  ),
  traffic(
    'an upgrade whose client does not wait',
    [{ c: `${ask('/exec', ...to('tcp'))}early\n` }, { s: switched('tcp') }, { s: 'late\n' }],
    'GET /exec | 101 Switching Protocols',
    'TCP "> early\\n" "< late\\n"',
  ),
  traffic(
    'an upgrade that is refused, with more bytes from the client',
    [
      { c: ask('/exec', ...to('tcp')) },
      { s: answer('no', '400 Bad Request') },
      { c: ask('/next') },
      { s: answer('ok') },
    ],
    'GET /exec | 400 Bad Request "no"',
    'GET /next | 200 OK "ok"',
  ),
  traffic(
    'an upgrade to h2c that the app does not take',
    [{ c: ask('/', ...to('h2c'), 'HTTP2-Settings: AAMAAABk') }, { s: answer('ok') }],
    'GET / | 200 OK "ok"',
  ),
  traffic(
    'an upgrade to h2c that the app takes',
    [
      { c: ask('/', ...to('h2c'), 'HTTP2-Settings: AAMAAABk') },
      { s: switched('h2c') },
      { s: '\0\0\0\x04\0\0\0\0\0' },
      { c: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0' },
      { s: '\0\0\x01\x01\x05\0\0\0\x01\x88' },
    ],
    'GET / | 200 # answered first by 101 Switching Protocols',
  ),
  traffic(
    'an upgrade to TLS',
    [
      { c: head('OPTIONS * HTTP/1.1', 'Host: wool', ...to('TLS/1.2')) },
      { s: switched('TLS/1.2') },
      { c: '\x16\x03\x01\0\x02hi' },
      { s: '\x16\x03\x03\0\x02ho' },
    ],
    'OPTIONS * | 101 Switching Protocols',
    'TCP "> \\u0016\\u0003\\u0001\\u0000\\u0002hi" "< \\u0016\\u0003\\u0003\\u0000\\u0002ho"',
  ),
  traffic(
    '101 that nobody asked for',
    [{ c: ask('/') }, { s: switched('tcp') }, { s: 'hello\n' }, { c: 'hello\n' }],
    'GET / ! Cannot parse HTTP response: 101 for a request that did not ask for an upgrade',
    'TCP "< HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: tcp\\r\\n\\r\\nhello\\n" "> hello\\n" # not read as HTTP: 101 for a request that did not ask for an upgrade',
  ),
];

export const UPGRADES: Case[] = [...SOCKETS, ...OTHERS];
