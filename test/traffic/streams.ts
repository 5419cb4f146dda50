import { answer, ask, head, post } from '../unit/wire-exchanges.ts';
import { type Case, type Move, traffic, trickle } from './case.ts';

const OK = { s: answer('ok') };
const CHUNKED = 'Transfer-Encoding: chunked';
const streamOf = (type: string, ...more: string[]) => ({
  s: head('HTTP/1.1 200 OK', `Content-Type: ${type}`, CHUNKED, ...more),
});
const piece = (text: string) => ({ s: `${text.length.toString(16)}\r\n${text}\r\n` });
const LAST = { s: '0\r\n\r\n' };

/** Each piece is seen before the next one is sent: who holds them back is found out. */
const STREAMED: Case[] = (
  [
    ['server-sent events', 'text/event-stream', 'data: 1\n\n', ': still here\n\n', 'event: b\ndata: 2\n\n'],
    ['lines of JSON', 'application/x-ndjson', '{"a":1}\n', '{"a":2}\n'],
    ['text in lines', 'text/plain; charset=utf-8', 'line 1\n', 'line 2\n', 'line 3\n'],
    ['a watch in JSON', 'application/json', '{"type":"ADDED"}\n', '{"type":"MODI', 'FIED"}\n'],
    ['a page in pieces', 'text/html', '<html>', '<body>', '</html>'],
    ['bytes in pieces', 'application/octet-stream', '\0\x01', '\xff'],
    [
      'pictures that replace each other',
      'multipart/x-mixed-replace; boundary=b',
      '--b\r\n\r\none\r\n',
      '--b\r\n\r\ntwo\r\n',
    ],
    [
      'messages of gRPC-Web',
      'application/grpc-web+proto',
      '\0\0\0\0\x02hi',
      '\x80\0\0\0\x0fgrpc-status:0\r\n',
    ],
  ] as const
).map(([title, type, ...pieces]) =>
  traffic(
    `a stream of ${title}`,
    [{ c: ask('/stream') }, streamOf(type), ...pieces.map(piece), LAST],
    `GET /stream | 200 OK ${JSON.stringify(pieces.join(''))}`,
  ),
);

const TIMED: Case[] = [
  traffic(
    'a stream with a length',
    [
      { c: ask('/s') },
      { s: head('HTTP/1.1 200 OK', 'Content-Type: text/plain', 'Content-Length: 6') },
      { s: 'abc' },
      { s: 'def' },
    ],
    'GET /s | 200 OK "abcdef"',
  ),
  traffic(
    'a stream until the connection ends',
    [
      { c: ask('/s') },
      { s: head('HTTP/1.1 200 OK', 'Content-Type: text/event-stream') },
      { s: 'data: 1\n\n' },
      { s: 'data: 2\n\n' },
      'app ends',
    ],
    'GET /s | 200 OK "data: 1\\n\\ndata: 2\\n\\n"',
  ),
  traffic(
    'a stream that says that nobody may buffer it',
    [{ c: ask('/s') }, streamOf('text/plain', 'X-Accel-Buffering: no'), piece('one'), piece('two'), LAST],
    'GET /s | 200 OK "onetwo"',
  ),
  traffic(
    'a stream without a type',
    [{ c: ask('/s') }, { s: head('HTTP/1.1 200 OK', CHUNKED) }, piece('one'), piece('two'), LAST],
    'GET /s | 200 OK "onetwo"',
  ),
  traffic(
    'a stream without an end whose client goes',
    [{ c: ask('/tail') }, streamOf('text/plain'), piece('one\n'), piece('two\n'), 'client resets'],
    'GET /tail | 200 OK "one\\ntwo\\n"… ! Client disconnected.',
  ),
  traffic(
    'a stream that the app cuts off',
    [{ c: ask('/tail') }, streamOf('text/event-stream'), piece('data: 1\n\n'), 'app resets'],
    'GET /tail | 200 OK "data: 1\\n\\n"… ! server closed connection',
  ),
  traffic(
    'a stream with trailers, and then the end',
    [
      { c: ask('/s', 'TE: trailers') },
      streamOf('text/plain', 'Trailer: X-Sum'),
      piece('ok'),
      { s: '0\r\nX-Sum: 42\r\n\r\n' },
      'app ends',
    ],
    'GET /s | 200 OK "ok" {X-Sum: 42}',
  ),
  traffic(
    'chunks that are cut anywhere',
    [{ c: ask('/s') }, streamOf('text/plain'), ...trickle('s', '5\r\nhello\r\n0\r\n\r\n')],
    'GET /s | 200 OK "hello"',
  ),
  traffic(
    'an upload in pieces that is answered at its end',
    [{ c: post('/up', 'Content-Length: 6') }, { c: 'ab' }, { c: 'cd' }, { c: 'ef' }, OK],
    'POST /up "abcdef" | 200 OK "ok"',
  ),
  traffic(
    'an upload in chunks that is answered at its end',
    [{ c: post('/up', CHUNKED) }, { c: '2\r\nab\r\n' }, { c: '2\r\ncd\r\n' }, { c: '0\r\n\r\n' }, OK],
    'POST /up "abcd" | 200 OK "ok"',
  ),
  traffic(
    'an app that takes a while to answer',
    [{ c: ask('/slow', 'Content-Type: text/plain') }, { silence: 700 }, OK],
    'GET /slow | 200 OK "ok"',
  ),
  traffic(
    'a client that takes a while to ask',
    [{ silence: 700 }, { c: ask('/slow') }, OK],
    'GET /slow | 200 OK "ok"',
  ),
  traffic(
    'a client that stops in the middle of its head',
    [{ c: 'GET /slow HT' }, { silence: 700 }, { c: 'TP/1.1\r\nHost: wool\r\n\r\n' }, OK],
    'GET /slow | 200 OK "ok"',
  ),
  traffic(
    'two streams one after the other',
    [
      { c: ask('/1') },
      streamOf('text/event-stream'),
      piece('data: 1\n\n'),
      LAST,
      { c: ask('/2') },
      streamOf('text/event-stream'),
      piece('data: 2\n\n'),
      LAST,
    ],
    'GET /1 | 200 OK "data: 1\\n\\n"',
    'GET /2 | 200 OK "data: 2\\n\\n"',
  ),
];

const EVER: Move = { c: ask('/ever') };

const ENDS: Case[] = [
  traffic('nobody says anything, and the client ends', ['client ends', 'app ends']),
  traffic('nobody says anything, and the app ends', ['app ends', 'client ends']),
  traffic('nobody says anything, and the client resets', ['client resets'], 'TCP ! Client disconnected.'),
  traffic('nobody says anything, and the app resets', ['app resets'], 'TCP ! server closed connection'),
  traffic('nobody says anything for a while, and the client ends', [{ silence: 700 }, 'client ends']),
  traffic('empty lines alone', [{ c: '\r\n\r\n' }, 'client ends'], 'TCP "> \\r\\n\\r\\n"'),
  traffic(
    'a client that ends its half before a chunked answer',
    [EVER, 'client ends', streamOf('text/plain'), piece('one'), piece('two'), LAST],
    'GET /ever | 200 OK "onetwo"',
  ),
  traffic(
    'a client that ends its half before an answer until the end',
    [EVER, 'client ends', { s: head('HTTP/1.1 200 OK') }, { s: 'all' }, 'app ends'],
    'GET /ever | 200 OK "all"',
  ),
  traffic(
    'a client that ends its half after an upload',
    [{ c: `${post('/up', 'Content-Length: 2')}ab` }, 'client ends', OK, 'app ends'],
    'POST /up "ab" | 200 OK "ok"',
  ),
  traffic(
    'an app that ends its half while the client uploads',
    [{ c: post('/up', 'Content-Length: 4') }, OK, 'app ends', { c: 'abcd' }, 'client ends'],
    'POST /up "abcd" | 200 OK "ok"',
  ),
  traffic(
    'an app that ends a connection that is kept alive',
    [{ c: ask('/1') }, OK, 'app ends'],
    'GET /1 | 200 OK "ok"',
  ),
  traffic(
    'a client that resets a connection that is kept alive',
    [{ c: ask('/1') }, OK, 'client resets'],
    'GET /1 | 200 OK "ok"',
  ),
  traffic(
    'an app that resets a connection that is kept alive',
    [{ c: ask('/1') }, OK, 'app resets'],
    'GET /1 | 200 OK "ok"',
  ),
  traffic(
    'a client that closes while the app still sends',
    [{ c: ask('/1') }, streamOf('text/plain'), piece('one'), 'client closes'],
    'GET /1 | 200 OK "one"… ! HTTP/1 protocol error: peer closed connection without sending complete message body (incomplete chunked read)',
  ),
  traffic(
    'an app that resets in the middle of a body',
    [{ c: ask('/1') }, { s: `${head('HTTP/1.1 200 OK', 'Content-Length: 10')}abc` }, 'app resets'],
    'GET /1 | 200 OK "abc"… ! server closed connection',
  ),
  traffic(
    'an app that resets in the middle of a head',
    [{ c: ask('/1') }, { s: 'HTTP/1.1 200 OK\r\nX-' }, 'app resets'],
    'GET /1 ! server closed connection',
    'TCP "< HTTP/1.1 200 OK\\r\\nX-" ! server closed connection # not read as HTTP: it is cut off, or was not asked for',
  ),
  traffic(
    'an app that resets in the middle of an upload',
    [{ c: `${post('/up', 'Content-Length: 10')}abc` }, 'app resets'],
    'POST /up "abc"… ! server closed connection',
  ),
  traffic(
    'a client that resets in the middle of an upload',
    [{ c: `${post('/up', 'Content-Length: 10')}abc` }, 'client resets'],
    'POST /up "abc"… ! Client disconnected.',
  ),
  traffic(
    'a client that resets in the middle of its head',
    [{ c: 'GET /1 HTTP/1.1\r\nHo' }, 'client resets'],
    'TCP "> GET /1 HTTP/1.1\\r\\nHo" ! Client disconnected. # not read as HTTP: it is cut off, or was not asked for',
  ),
  traffic(
    'a request that comes after Connection: close',
    [
      { c: ask('/1', 'Connection: close') },
      { s: answer('ok', '200 OK', 'Connection: close') },
      'app ends',
      { c: ask('/2') },
    ],
    'GET /1 | 200 OK "ok"',
    'GET /2 ! server closed connection',
  ),
  traffic(
    'Connection: close of the client alone',
    [{ c: ask('/1', 'Connection: close') }, OK, 'client ends'],
    'GET /1 | 200 OK "ok"',
  ),
  traffic(
    'bytes after the end of an answer',
    [{ c: ask('/1') }, { s: `${answer('ok')}more` }],
    'GET /1 | 200 OK "ok"',
    'TCP "< more" # not read as HTTP: it is cut off, or was not asked for',
  ),
  traffic(
    'bytes after the last chunk',
    [{ c: ask('/1') }, { s: `${head('HTTP/1.1 200 OK', CHUNKED)}2\r\nok\r\n0\r\n\r\nmore` }],
    'GET /1 | 200 OK "ok"',
    'TCP "< more" # not read as HTTP: it is cut off, or was not asked for',
  ),
  traffic(
    'three requests at once, of which the app answers one',
    [{ c: ask('/1') + ask('/2') + ask('/3') }, OK, 'app resets'],
    'GET /1 | 200 OK "ok"',
    'GET /2 ! server closed connection',
    'GET /3 ! server closed connection',
  ),
  traffic(
    'requests at once, the next before the answer has ended',
    [
      { c: ask('/1') },
      { s: head('HTTP/1.1 200 OK', 'Content-Length: 4') },
      { c: ask('/2') },
      { s: `ab` },
      { s: `cd${answer('ok')}` },
    ],
    'GET /1 | 200 OK "abcd"',
    'GET /2 | 200 OK "ok"',
  ),
  traffic(
    'two requests at once, the first of which ends the connection',
    [
      { c: ask('/1', 'Connection: close') + ask('/2') },
      { s: answer('ok', '200 OK', 'Connection: close') },
      'app ends',
    ],
    'GET /1 | 200 OK "ok"',
    'GET /2 ! server closed connection',
  ),
  traffic(
    'a request of which the next half comes with its end',
    [{ c: ask('/1') + ask('/2').slice(0, 9) }, OK, { c: ask('/2').slice(9) }, OK],
    'GET /1 | 200 OK "ok"',
    'GET /2 | 200 OK "ok"',
  ),
  traffic(
    'twenty requests on one connection',
    Array.from({ length: 20 }, (_, n): Move[] => [{ c: ask(`/${n}`) }, { s: answer(`${n}`) }]).flat(),
    ...Array.from({ length: 20 }, (_, n) => `GET /${n} | 200 OK "${n}"`),
  ),
  traffic(
    'fifty requests at once',
    [
      { c: Array.from({ length: 50 }, (_, n) => ask(`/${n}`)).join('') },
      { s: Array.from({ length: 50 }, (_, n) => answer(`${n}`)).join('') },
    ],
    ...Array.from({ length: 50 }, (_, n) => `GET /${n} | 200 OK "${n}"`),
  ),
];

export const STREAMS: Case[] = [...STREAMED, ...TIMED, ...ENDS];
