import { answer, ask, head, post } from '../unit/wire-exchanges.ts';
import { type Case, MIB, type Move, noise, traffic, unshown } from './case.ts';

const OK = { s: answer('ok') };
const NEXT: Move[] = [{ c: ask('/next') }, OK];
const THEN_NEXT = 'GET /next | 200 OK "ok"';
const HOST = 'Host: wool.example';
const CHUNKED = 'Transfer-Encoding: chunked';

const chunk = (body: string | Buffer) => {
  const bytes = Buffer.from(body as string, 'latin1');
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
};
const inChunks = (body: Buffer, size: number) =>
  Buffer.concat([
    ...Array.from({ length: Math.ceil(body.length / size) }, (_, n) =>
      chunk(body.subarray(n * size, (n + 1) * size)),
    ),
    Buffer.from('0\r\n\r\n'),
  ]);
const whole = (first: string, rest: Buffer) => Buffer.concat([Buffer.from(first, 'latin1'), rest]);

/** A response with this framing, and then another one on the same connection. */
const answered = (title: string, s: string, shown = 'GET /f | 200 OK "ok"') =>
  traffic(title, [{ c: ask('/f') }, { s }, ...NEXT], shown, THEN_NEXT);
/** The same of a request. */
const asked = (title: string, c: string, shown: string) =>
  traffic(title, [{ c }, OK, ...NEXT], shown, THEN_NEXT);

const CHUNKS: Case[] = [
  answered(
    'sizes of chunks in capitals, with zeros before them',
    `${head('HTTP/1.1 200 OK', CHUNKED)}00A\r\n0123456789\r\n000\r\n\r\n`,
    'GET /f | 200 OK "0123456789"',
  ),
  answered(
    'a chunk whose size has spaces after it',
    `${head('HTTP/1.1 200 OK', CHUNKED)}2  \r\nok\r\n0\r\n\r\n`,
  ),
  answered(
    'a chunk with a quoted extension',
    `${head('HTTP/1.1 200 OK', CHUNKED)}2;sig="a;b"\r\nok\r\n0;last\r\n\r\n`,
  ),
  answered('chunks whose lines end in LF alone', `${head('HTTP/1.1 200 OK', CHUNKED)}2\nok\n0\n\n`),
  answered(
    'a chunked response without a body',
    `${head('HTTP/1.1 200 OK', CHUNKED)}0\r\n\r\n`,
    'GET /f | 200 OK',
  ),
  answered(
    'a chunked body that is named in capitals',
    `${head('HTTP/1.1 200 OK', 'TRANSFER-ENCODING: CHUNKED')}2\r\nok\r\n0\r\n\r\n`,
  ),
  answered(
    'trailers of a response',
    `${head('HTTP/1.1 200 OK', 'Trailer: X-Sum', CHUNKED)}2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n`,
    'GET /f | 200 OK "ok" {X-Sum: 42}',
  ),
  answered(
    'two codings, the last of them chunked',
    `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: gzip, chunked')}2\r\nok\r\n0\r\n\r\n`,
  ),
  answered('chunked in two fields', `${head('HTTP/1.1 200 OK', CHUNKED, CHUNKED)}2\r\nok\r\n0\r\n\r\n`),
  answered(
    'chunks in HTTP/1.0',
    `${head('HTTP/1.0 200 OK', 'Connection: keep-alive', CHUNKED)}2\r\nok\r\n0\r\n\r\n`,
  ),
  asked(
    'a chunked request with trailers',
    `${post('/c', 'Trailer: X-Sum', CHUNKED)}3\r\nabc\r\n0\r\nX-Sum: 3\r\n\r\n`,
    'POST /c "abc" {X-Sum: 3} | 200 OK "ok"',
  ),
  asked(
    'a chunked request with an extension',
    `${post('/c', CHUNKED)}3;a=b\r\nabc\r\n0\r\n\r\n`,
    'POST /c "abc" | 200 OK "ok"',
  ),
  asked('a chunked request without a body', `${post('/c', CHUNKED)}0\r\n\r\n`, 'POST /c | 200 OK "ok"'),
  asked('a chunked GET', `${ask('/c', CHUNKED)}3\r\nabc\r\n0\r\n\r\n`, 'GET /c "abc" | 200 OK "ok"'),
  traffic(
    'a thousand chunks of a byte each way',
    [
      { c: whole(post('/c', CHUNKED), inChunks(Buffer.from('c'.repeat(1000)), 1)) },
      { s: whole(head('HTTP/1.1 200 OK', CHUNKED), inChunks(Buffer.from('s'.repeat(1000)), 1)) },
    ],
    'POST /c "(1000 bytes, efeea944)" | 200 OK "(1000 bytes, 68fe9c9f)"',
  ),
  traffic(
    'a chunked request that is cut off',
    [{ c: `${post('/c', CHUNKED)}5\r\nab` }, 'client ends', OK],
    'POST /c "ab"… | 200 OK "ok" ! HTTP/1 protocol error: peer closed connection without sending complete message body (incomplete chunked read)',
  ),
  traffic(
    'a chunk that is longer than it says',
    [{ c: `${post('/c', CHUNKED)}2\r\nabcd\r\n0\r\n\r\n` }, OK],
    'POST /c "ab"… ! a chunk does not end where its size says',
    'TCP "> cd\\r\\n0\\r\\n\\r\\n" "< HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok" # not read as HTTP: a chunk does not end where its size says',
  ),
];

const FORM = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n';

const LENGTHS: Case[] = [
  answered('Content-Length: 0', head('HTTP/1.1 200 OK', 'Content-Length: 0'), 'GET /f | 200 OK'),
  answered(
    '204 with Content-Length: 0',
    head('HTTP/1.1 204 No Content', 'Content-Length: 0'),
    'GET /f | 204 No Content',
  ),
  answered('205 with a body', answer('ok', '205 Reset Content'), 'GET /f | 205 Reset Content "ok"'),
  answered('a length with a zero before it', `${head('HTTP/1.1 200 OK', 'Content-Length: 02')}ok`),
  answered('a length that is a list', `${head('HTTP/1.1 200 OK', 'Content-Length: 2, 2')}ok`),
  traffic(
    'a length with a sign',
    [{ c: ask('/f') }, { s: `${head('HTTP/1.1 200 OK', 'Content-Length: +2')}ok` }, ...NEXT],
    'GET /f | 200 OK… ! Cannot parse HTTP response: invalid content-length header',
    'TCP "< HTTP/1.1 200 OK\\r\\nContent-Length: +2\\r\\n\\r\\nok" "> GET /next HTTP/1.1\\r\\nHost: wool.example\\r\\n\\r\\n" "< HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok" # not read as HTTP: invalid content-length header',
  ),
  answered(
    '206 in parts',
    `${head('HTTP/1.1 206 Partial Content', 'Content-Type: multipart/byteranges; boundary=b', 'Content-Length: 16')}--b\r\n\r\nok\r\n--b--`,
    'GET /f | 206 Partial Content "--b\\r\\n\\r\\nok\\r\\n--b--"',
  ),
  answered(
    'a body that says that it is gzip and is not',
    answer('no gzip', '200 OK', 'Content-Encoding: gzip'),
    'GET /f | 200 OK "no gzip"',
  ),
  traffic(
    'a length below zero',
    [{ c: ask('/f') }, { s: `${head('HTTP/1.1 200 OK', 'Content-Length: -2')}ok` }, 'app ends'],
    'GET /f | 200 OK… ! Cannot parse HTTP response: invalid content-length header',
    'TCP "< HTTP/1.1 200 OK\\r\\nContent-Length: -2\\r\\n\\r\\nok" # not read as HTTP: invalid content-length header',
  ),
  traffic(
    'a length that is no number',
    [{ c: `${post('/f', 'Content-Length: two')}ab` }, OK],
    'POST /f… ! invalid content-length header',
    'TCP "> POST /f HTTP/1.1\\r\\nHost: wool.example\\r\\nContent-Length: two\\r\\n\\r\\nab" "< HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok" # not read as HTTP: invalid content-length header',
  ),
  asked('a GET with Content-Length: 0', ask('/g', 'Content-Length: 0'), 'GET /g | 200 OK "ok"'),
  asked(
    'a DELETE with a body',
    `${head('DELETE /d HTTP/1.1', HOST, 'Content-Length: 3')}abc`,
    'DELETE /d "abc" | 200 OK "ok"',
  ),
  asked(
    'a form in parts',
    `${post('/form', 'Content-Type: multipart/form-data; boundary=b', `Content-Length: ${FORM.length}`)}${FORM}`,
    'POST /form "--b\\r\\nContent-Disposition: form-data; name=\\"a\\"\\r\\n\\r\\n1\\r\\n--b--\\r\\n" | 200 OK "ok"',
  ),
  traffic(
    'a body for a request that has none',
    [{ c: `${ask('/1')}body` }, OK],
    'GET /1 | 200 OK "ok"',
    'TCP "> body" # not read as HTTP: it is cut off, or was not asked for',
  ),
  traffic(
    'a body after HEAD that should have none',
    [{ c: head('HEAD /h HTTP/1.1', HOST) }, OK],
    'HEAD /h | 200 OK',
    'TCP "< ok" # not read as HTTP: it is cut off, or was not asked for',
  ),
  traffic(
    '304 with a length, and then 200',
    [
      { c: ask('/e', 'If-None-Match: "a"') },
      { s: head('HTTP/1.1 304 Not Modified', 'ETag: "a"', 'Content-Length: 5000') },
      ...NEXT,
    ],
    'GET /e | 304 Not Modified',
    THEN_NEXT,
  ),
];

const EXPECTED: Case[] = [
  traffic(
    'Expect that is answered by 417',
    [
      { c: head('PUT /e HTTP/1.1', HOST, 'Expect: 100-continue', 'Content-Length: 4') },
      { s: answer('no', '417 Expectation Failed') },
    ],
    'PUT /e… | 417 Expectation Failed "no" ! HTTP/1 protocol error: peer closed connection without sending complete message body (received 0 bytes, expected 4)',
  ),
  traffic(
    'Expect that is answered by 200 before the body, which comes',
    [
      { c: head('PUT /e HTTP/1.1', HOST, 'Expect: 100-continue', 'Content-Length: 4') },
      OK,
      { c: 'body' },
      ...NEXT,
    ],
    'PUT /e "body" | 200 OK "ok"',
    THEN_NEXT,
  ),
  traffic(
    'Expect whose client does not wait',
    [
      { c: `${head('PUT /e HTTP/1.1', HOST, 'Expect: 100-continue', 'Content-Length: 4')}body` },
      { s: head('HTTP/1.1 100 Continue') },
      OK,
    ],
    'PUT /e "body" | 200 OK "ok"',
  ),
  traffic(
    'Expect with chunks',
    [
      { c: head('PUT /e HTTP/1.1', HOST, 'Expect: 100-continue', CHUNKED) },
      { s: head('HTTP/1.1 100 Continue') },
      { c: '4\r\nbody\r\n0\r\n\r\n' },
      OK,
    ],
    'PUT /e "body" | 200 OK "ok"',
  ),
  traffic(
    '100 with fields of its own',
    [{ c: ask('/e') }, { s: head('HTTP/1.1 100 Go on', 'X-Why: so') + answer('ok') }],
    'GET /e | 200 OK "ok"',
  ),
  traffic(
    '103 in a piece of its own',
    [{ c: ask('/e') }, { s: head('HTTP/1.1 103 Early Hints', 'Link: </a.css>; rel=preload') }, OK],
    'GET /e | 200 OK "ok" # answered first by 103 Early Hints',
  ),
  traffic(
    '102 twice',
    [{ c: ask('/e') }, { s: head('HTTP/1.1 102 Processing') }, { s: head('HTTP/1.1 102 Processing') }, OK],
    'GET /e | 200 OK "ok" # answered first by 102 Processing\nanswered first by 102 Processing',
  ),
];

const EARLY: Case[] = [
  traffic(
    'an answer of 413 in the middle of a body, after which the client goes on sending',
    [
      { c: whole(post('/up', 'Content-Length: 1000000'), noise('up', 65_536)) },
      { s: answer('no', '413 Too Large', 'Connection: close') },
      'app ends',
      { c: noise('more', 65_536) },
    ],
    'POST /up "(131072 bytes, a2a67e06)"… | 413 Too Large "no" ! HTTP/1 protocol error: peer closed connection without sending complete message body (received 131072 bytes, expected 1000000)',
  ),
  unshown('an answer of 413 by an app that resets with a body unread', [
    { c: post('/up', 'Content-Length: 1000000') },
    'app pauses',
    { c: noise('up', 900_000), unread: true },
    { s: answer('no', '413 Too Large', 'Connection: close') },
    'app resets',
  ]),
  traffic(
    'an answer that ends before the body of its request does',
    [{ c: `${post('/up', CHUNKED)}2\r\nab\r\n` }, OK, { c: '2\r\ncd\r\n0\r\n\r\n' }, ...NEXT],
    'POST /up "abcd" | 200 OK "ok"',
    THEN_NEXT,
  ),
  traffic(
    'bodies that go both ways in turns',
    [
      { c: `${post('/talk', 'Content-Type: application/connect+json', CHUNKED)}2\r\nc1\r\n` },
      { s: `${head('HTTP/1.1 200 OK', 'Content-Type: application/connect+json', CHUNKED)}2\r\ns1\r\n` },
      { c: '2\r\nc2\r\n' },
      { s: '2\r\ns2\r\n' },
      { c: '0\r\n\r\n' },
      { s: '0\r\n\r\n' },
    ],
    'POST /talk "c1c2" | 200 OK "s1s2"',
  ),
];

const LARGE: Case[] = [
  traffic(
    'an upload of 3 MB',
    [{ c: whole(post('/up', `Content-Length: ${3 * MIB}`), noise('3', 3 * MIB)) }, OK],
    'POST /up "(3145728 bytes, d41c7367)" | 200 OK "ok"',
  ),
  traffic(
    'a chunked upload of 2 MB',
    [{ c: whole(post('/up', CHUNKED), inChunks(noise('2', 2 * MIB), 10_007)) }, OK],
    'POST /up "(2097152 bytes, a0907659)" | 200 OK "ok"',
  ),
  traffic(
    'a download of 3 MB',
    [
      { c: ask('/down') },
      { s: whole(head('HTTP/1.1 200 OK', `Content-Length: ${3 * MIB}`), noise('4', 3 * MIB)) },
    ],
    'GET /down | 200 OK "(3145728 bytes, ba9ae7ff)"',
  ),
  traffic(
    'a chunked download of 2 MB',
    [
      { c: ask('/down') },
      { s: whole(head('HTTP/1.1 200 OK', CHUNKED), inChunks(noise('5', 2 * MIB), 65_536)) },
    ],
    'GET /down | 200 OK "(2097152 bytes, 00025422)"',
  ),
  traffic(
    'a download of 2 MB until the end',
    [{ c: ask('/down') }, { s: whole(head('HTTP/1.1 200 OK'), noise('6', 2 * MIB)) }, 'app ends'],
    'GET /down | 200 OK "(2097152 bytes, 7d70d780)"',
  ),
  traffic(
    'an upload and a download of 4 MB at once',
    [
      { c: post('/both', `Content-Length: ${4 * MIB}`) },
      { s: head('HTTP/1.1 200 OK', `Content-Length: ${4 * MIB}`) },
      { c: noise('7', 4 * MIB), s: noise('8', 4 * MIB) },
    ],
    'POST /both "(4194304 bytes, 25af31cc)" | 200 OK "(4194304 bytes, 0e5ebf3d)"',
  ),
  traffic(
    'a download of 8 MB whose client does not read for a while',
    [
      { c: ask('/down') },
      { s: head('HTTP/1.1 200 OK', `Content-Length: ${8 * MIB}`) },
      'client pauses',
      { s: noise('9', 8 * MIB), unread: true },
      { silence: 100 },
      'client reads',
    ],
    'GET /down | 200 OK "(5242880 bytes, 512dd74d)" # cut to 5242880 bytes, the longest from 8388608',
  ),
  traffic(
    'an upload of 8 MB whose app does not read for a while',
    [
      { c: post('/up', `Content-Length: ${8 * MIB}`) },
      'app pauses',
      { c: noise('10', 8 * MIB), unread: true },
      { silence: 100 },
      'app reads',
      OK,
    ],
    'POST /up "(5242880 bytes, 53aebc07)" | 200 OK "ok" # cut to 5242880 bytes, the longest from 8388608',
  ),
];

export const BODIES: Case[] = [...CHUNKS, ...LENGTHS, ...EXPECTED, ...EARLY, ...LARGE];
