import type { Step } from './wire-file.ts';

/** What passes on one connection, and the flows that it makes, each in one line as describeFlow has it. */
export interface Exchange {
  title: string;
  steps: Step[];
  flows: string[];
}

const END: Step[] = ['client ends', 'app ends', 'over'];

export const ask = (path: string, ...headers: string[]) =>
  head(`GET ${path} HTTP/1.1`, 'Host: wool.example', ...headers);
export const post = (path: string, ...headers: string[]) =>
  head(`POST ${path} HTTP/1.1`, 'Host: wool.example', ...headers);
export const head = (...lines: string[]) => [...lines, '', ''].join('\r\n');
export const answer = (body: string, status = '200 OK', ...headers: string[]) =>
  head(`HTTP/1.1 ${status}`, `Content-Length: ${body.length}`, ...headers) + body;

const exchange = (title: string, steps: Step[], ...flows: string[]): Exchange => ({ title, steps, flows });

const FRAMING: Exchange[] = [
  exchange('a GET', [{ c: ask('/cats') }, { s: answer('purr') }, ...END], 'GET /cats | 200 OK "purr"'),
  exchange(
    'requests one after another',
    [{ c: ask('/1') }, { s: answer('one') }, { c: ask('/2') }, { s: answer('two') }, ...END],
    'GET /1 | 200 OK "one"',
    'GET /2 | 200 OK "two"',
  ),
  exchange(
    'pipelined requests',
    [
      { c: ask('/1') + ask('/2') + ask('/3') },
      { s: answer('one') + answer('two') },
      { s: answer('three') },
      ...END,
    ],
    'GET /1 | 200 OK "one"',
    'GET /2 | 200 OK "two"',
    'GET /3 | 200 OK "three"',
  ),
  exchange(
    'a POST with a Content-Length',
    [{ c: `${post('/yarn', 'Content-Length: 4')}blue` }, { s: answer('', '201 Created') }, ...END],
    'POST /yarn "blue" | 201 Created',
  ),
  exchange(
    'a POST without a body or a length',
    [{ c: post('/yarn') }, { s: answer('ok') }, ...END],
    'POST /yarn | 200 OK "ok"',
  ),
  exchange(
    'a GET with a body',
    [{ c: `${ask('/search', 'Content-Length: 5')}query` }, { s: answer('ok') }, ...END],
    'GET /search "query" | 200 OK "ok"',
  ),
  exchange(
    'a chunked request',
    [
      { c: `${post('/', 'Transfer-Encoding: chunked')}3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n` },
      { s: answer('ok') },
      ...END,
    ],
    'POST / "abc0123456789" | 200 OK "ok"',
  ),
  exchange(
    'chunks with extensions, and trailers',
    [
      { c: ask('/sum', 'TE: trailers') },
      {
        s: `${head('HTTP/1.1 200 OK', 'Trailer: X-Digest', 'Transfer-Encoding: chunked')}4;sig=1;x\r\nknit\r\n0\r\nX-Digest: 7\r\nX-B: c\r\n\r\n`,
      },
      ...END,
    ],
    'GET /sum | 200 OK "knit" {X-Digest: 7, X-B: c}',
  ),
  exchange(
    'chunks that trickle',
    [
      { c: ask('/log') },
      { s: head('HTTP/1.1 200 OK', 'transfer-encoding: Chunked') },
      { s: '5\r\nrow 1\r\n' },
      { s: '5\r\nrow 2\r\n0\r\n' },
      { s: '\r\n' },
      ...END,
    ],
    'GET /log | 200 OK "row 1row 2"',
  ),
  exchange(
    'both Transfer-Encoding and Content-Length in a response',
    [
      { c: ask('/') },
      {
        s: `${head('HTTP/1.1 200 OK', 'Content-Length: 3', 'Transfer-Encoding: chunked')}2\r\nhi\r\n0\r\n\r\n`,
      },
      { c: ask('/next') },
      { s: answer('ok') },
      ...END,
    ],
    'GET / | 200 OK "hi"',
    'GET /next | 200 OK "ok"',
  ),
  exchange(
    'both Transfer-Encoding and Content-Length in a request',
    [
      { c: `${post('/', 'Content-Length: 1', 'Transfer-Encoding: chunked')}2\r\nhi\r\n0\r\n\r\n` },
      { s: answer('ok') },
      ...END,
    ],
    'POST / "hi" | 200 OK "ok"',
  ),
  exchange(
    'Transfer-Encoding: identity with a length',
    [
      { c: ask('/') },
      { s: `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: identity', 'Content-Length: 3')}abc` },
      { c: ask('/next') },
      { s: answer('ok') },
      ...END,
    ],
    'GET / | 200 OK "abc"',
    'GET /next | 200 OK "ok"',
  ),
  exchange(
    'the same Content-Length twice',
    [
      { c: ask('/') },
      { s: `${head('HTTP/1.1 200 OK', 'Content-Length: 2', 'content-length: 2')}ok` },
      ...END,
    ],
    'GET / | 200 OK "ok"',
  ),
  exchange(
    'a response until the connection is closed',
    [{ c: ask('/') }, { s: `${head('HTTP/1.1 200 OK')}abc` }, { s: 'def' }, 'app ends', 'over'],
    'GET / | 200 OK "abcdef"',
  ),
  exchange(
    'HTTP/1.0 without a Host',
    [{ c: head('GET /old HTTP/1.0') }, { s: `${head('HTTP/1.0 200 OK')}hello` }, 'app ends', 'over'],
    'GET /old | 200 OK "hello"',
  ),
  exchange(
    'HTTP/1.0 that is kept alive',
    [
      { c: head('GET /1 HTTP/1.0', 'Connection: keep-alive') },
      { s: `${head('HTTP/1.0 200 OK', 'Connection: keep-alive', 'Content-Length: 1')}a` },
      { c: head('GET /2 HTTP/1.0') },
      { s: `${head('HTTP/1.0 200 OK', 'Content-Length: 1')}b` },
      ...END,
    ],
    'GET /1 | 200 OK "a"',
    'GET /2 | 200 OK "b"',
  ),
  ...['HEAD /x|200 OK', 'GET /x|204 No Content', 'GET /x|304 Not Modified'].flatMap((line) => {
    const [request, status] = line.split('|');
    return ['Content-Length: 5000', 'Transfer-Encoding: chunked', 'ETag: "a"'].map((header) =>
      exchange(
        `${request} answered by ${status} with ${header}`,
        [
          { c: head(`${request} HTTP/1.1`, 'Host: wool.example') },
          { s: head(`HTTP/1.1 ${status}`, header) },
          { c: ask('/next') },
          { s: answer('ok') },
          ...END,
        ],
        `${request} | ${status}`,
        'GET /next | 200 OK "ok"',
      ),
    );
  }),
];

const INTERIM: Exchange[] = [
  exchange(
    'Expect: 100-continue',
    [
      { c: head('PUT /big HTTP/1.1', 'Expect: 100-continue', 'Content-Length: 6') },
      { s: head('HTTP/1.1 100 Continue') },
      { c: 'abcdef' },
      { s: answer('ok') },
      ...END,
    ],
    'PUT /big "abcdef" | 200 OK "ok"',
  ),
  exchange(
    '100 that nobody waits for',
    [{ c: ask('/') }, { s: head('HTTP/1.1 100 Continue') + answer('ok') }, ...END],
    'GET / | 200 OK "ok"',
  ),
  exchange(
    '102 and 103 before the response',
    [
      { c: ask('/') },
      { s: head('HTTP/1.1 102 Processing') },
      { s: head('HTTP/1.1 103 Early Hints', 'Link: </a.css>') },
      { s: answer('ok') },
      ...END,
    ],
    'GET / | 200 OK "ok" # answered first by 102 Processing\nanswered first by 103 Early Hints',
  ),
  exchange(
    'a response before the request has ended, which then ends',
    [
      { c: `${post('/up', 'Content-Length: 8')}abcd` },
      { s: answer('early') },
      { c: `efgh${ask('/next')}` },
      { s: answer('ok') },
      ...END,
    ],
    'POST /up "abcdefgh" | 200 OK "early"',
    'GET /next | 200 OK "ok"',
  ),
  exchange(
    'a response that ends the connection before the request has ended',
    [
      { c: `${post('/up', 'Content-Length: 1000')}abcd` },
      { s: answer('no', '413 Too Large', 'Connection: close') },
      'app ends',
      { c: 'efgh' },
      'client resets',
      'over',
    ],
    'POST /up "abcdefgh"… | 413 Too Large "no"',
  ),
];

const HEADS: Exchange[] = [
  exchange(
    'no reason, and a status that nobody knows',
    [{ c: ask('/1') }, { s: answer('a', '200') }, { c: ask('/2') }, { s: answer('b', '999 Odd') }, ...END],
    'GET /1 | 200 "a"',
    'GET /2 | 999 Odd "b"',
  ),
  exchange(
    'lines that end in LF alone',
    [{ c: 'GET /lf HTTP/1.1\nHost: wool\n\n' }, { s: 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok' }, ...END],
    'GET /lf | 200 OK "ok"',
  ),
  exchange(
    'empty lines before a request and a response',
    [
      { c: `\r\n\r\n${ask('/1')}` },
      { s: `${answer('a')}\r\n` },
      { c: `\n${ask('/2')}` },
      { s: `\r\n${answer('b')}` },
      ...END,
    ],
    'GET /1 | 200 OK "a"',
    'GET /2 | 200 OK "b"',
  ),
  exchange(
    'targets of every form',
    [
      { c: head('GET http://mill.example:81/spin?q=1 HTTP/1.1', 'Host: wool.example') },
      { s: answer('a') },
      { c: head('GET https://mill.example?q HTTP/1.1') },
      { s: answer('b') },
      { c: head('OPTIONS * HTTP/1.1') },
      { s: answer('c') },
      { c: head('GET //evil.example/x HTTP/1.1') },
      { s: answer('d') },
      { c: head('GET /a|b^{}"<>\\%zz#part?x=[1] HTTP/1.1') },
      { s: answer('e') },
      { c: head('GET /two words HTTP/1.1') },
      { s: answer('f') },
      { c: head('GET ws://mill.example/chat HTTP/1.1') },
      { s: answer('g') },
      ...END,
    ],
    'GET mill.example:81/spin?q=1 | 200 OK "a"',
    'GET mill.example/?q | 200 OK "b"',
    'OPTIONS * | 200 OK "c"',
    'GET //evil.example/x | 200 OK "d"',
    'GET /a|b^{}"<>\\%zz#part?x=[1] | 200 OK "e"',
    'GET /two words | 200 OK "f"',
    'GET mill.example/chat | 200 OK "g"',
  ),
  exchange(
    'methods in small letters and with a hyphen',
    [
      { c: head('get / HTTP/1.1') },
      { s: answer('a') },
      { c: head('M-SEARCH / HTTP/1.1') },
      { s: answer('b') },
      ...END,
    ],
    'get / | 200 OK "a"',
    'M-SEARCH / | 200 OK "b"',
  ),
  ...['Host: Wool.Example.:8080', 'Host: my_svc', 'Host:', 'X-No: host', 'Host: a\r\nHost: b'].map((host) =>
    exchange(
      `the header ${JSON.stringify(host)}`,
      [{ c: head('GET /h HTTP/1.1', host) }, { s: answer('ok') }, ...END],
      'GET /h | 200 OK "ok"',
    ),
  ),
  exchange(
    'a value that goes on in other lines',
    [
      { c: ask('/', 'X-Long: one', '  two', '\tthree ', 'X-Next: 4', ' five') },
      { s: answer('ok', '200 OK', 'X-A: b') },
      ...END,
    ],
    'GET / | 200 OK "ok"',
  ),
  exchange(
    'a head of 300 kB',
    [
      { c: ask(`/${'p'.repeat(90_000)}`, `Cookie: ${'c'.repeat(200_000)}`) },
      { s: answer('ok', '200 OK', `X-Big: ${'b'.repeat(300_000)}`) },
      ...END,
    ],
    `GET /${'p'.repeat(90_000)} | 200 OK "ok"`,
  ),
];

const ENDS: Exchange[] = [
  exchange(
    'a client that closes its half and waits',
    [{ c: ask('/') }, 'client ends', { s: answer('ok') }, 'app ends', 'over'],
    'GET / | 200 OK "ok"',
  ),
  exchange(
    'a client that goes before it is answered',
    [{ c: ask('/slow') }, 'client ends', 'over'],
    'GET /slow ! Client disconnected.',
  ),
  exchange(
    'a client that resets before it is answered',
    [{ c: ask('/slow') }, 'client resets', 'over'],
    'GET /slow ! Client disconnected.',
  ),
  exchange(
    'an app that resets instead of answering the second request',
    [{ c: ask('/1') }, { s: answer('a') }, { c: ask('/2') }, 'app resets', 'over'],
    'GET /1 | 200 OK "a"',
    'GET /2 ! server closed connection',
  ),
  exchange(
    'an app that closes without an answer',
    [{ c: ask('/1') }, 'app ends', 'over'],
    'GET /1 ! server closed connection',
  ),
  exchange(
    'an app that refuses the connection',
    [{ c: ask('/1') }, 'app refuses', 'over'],
    'GET /1 ! server refused connection',
  ),
  exchange(
    'a response that is cut off',
    [{ c: ask('/') }, { s: `${head('HTTP/1.1 200 OK', 'Content-Length: 100')}part` }, 'app ends', 'over'],
    'GET / | 200 OK "part"… ! HTTP/1 protocol error: peer closed connection without sending complete message body (received 4 bytes, expected 100)',
  ),
  exchange(
    'chunks that are cut off',
    [
      { c: ask('/') },
      { s: `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}4\r\npart\r\n` },
      'app ends',
      'over',
    ],
    'GET / | 200 OK "part"… ! HTTP/1 protocol error: peer closed connection without sending complete message body (incomplete chunked read)',
  ),
  exchange(
    'a body until the end that is reset',
    [{ c: ask('/') }, { s: `${head('HTTP/1.1 200 OK')}part` }, 'app resets', 'over'],
    'GET / | 200 OK "part"… ! server closed connection',
  ),
  exchange(
    'an endless response whose client goes',
    [
      { c: ask('/tail') },
      { s: `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}5\r\nline\n\r\n` },
      { s: '5\r\nline\n\r\n' },
      'client resets',
      'over',
    ],
    'GET /tail | 200 OK "line\\nline\\n"… ! Client disconnected.',
  ),
  exchange(
    'a request whose body is cut off',
    [
      { c: `${post('/', 'Content-Length: 10')}abc` },
      'client ends',
      { s: answer('bad', '400 Bad Request') },
      'app ends',
      'over',
    ],
    'POST / "abc"… | 400 Bad Request "bad" ! HTTP/1 protocol error: peer closed connection without sending complete message body (received 3 bytes, expected 10)',
  ),
  exchange(
    'a head that is cut off',
    [{ c: 'GET / HTTP/1.1\r\nHost: wo' }, 'client ends', 'over'],
    'TCP "> GET / HTTP/1.1\\r\\nHost: wo" # not read as HTTP: it is cut off, or was not asked for',
  ),
  exchange(
    'a response that nobody asked for',
    [{ c: ask('/') }, { s: answer('ok') }, { s: answer('', '408 Request Timeout') }, 'app ends', 'over'],
    'GET / | 200 OK "ok"',
    'TCP "< HTTP/1.1 408 Request Timeout\\r\\nContent-Length: 0\\r\\n\\r\\n" # not read as HTTP: it is cut off, or was not asked for',
  ),
  exchange('a probe that only connects', ['client ends', 'app ends', 'over']),
  exchange(
    'a connection that is refused before the client speaks',
    ['app refuses', 'over'],
    'TCP ! server refused connection',
  ),
];

const NOT_HTTP: Exchange[] = [
  exchange(
    'a server that speaks first',
    [{ s: '220 mail ready\r\n' }, { c: 'EHLO wool\r\n' }, { s: '250 hi\r\n' }, ...END],
    'TCP "< 220 mail ready\\r\\n" "> EHLO wool\\r\\n" "< 250 hi\\r\\n"',
  ),
  exchange(
    'a client that does not speak HTTP',
    [{ c: '*1\r\n$4\r\nPING\r\n' }, { s: '+PONG\r\n' }, ...END],
    'TCP "> *1\\r\\n$4\\r\\nPING\\r\\n" "< +PONG\\r\\n"',
  ),
  exchange(
    'TLS',
    [{ c: '\x16\x03\x01\x00\x05hello' }, { s: '\x16\x03\x03\x00\x02hi' }, ...END],
    'TCP "> \\u0016\\u0003\\u0001\\u0000\\u0005hello" "< \\u0016\\u0003\\u0003\\u0000\\u0002hi"',
  ),
  exchange(
    'line ends without end',
    [{ c: '\r\n'.repeat(600) + ask('/') }, ...END],
    `TCP ${JSON.stringify(`> ${'\r\n'.repeat(600)}${ask('/')}`)}`,
  ),
  exchange(
    'the line of the PROXY protocol',
    [{ c: `PROXY TCP4 198.51.100.7 10.0.0.1 56324 443\r\n${head('GET / HTTP/1.1')}` }, ...END],
    'TCP "> PROXY TCP4 198.51.100.7 10.0.0.1 56324 443\\r\\nGET / HTTP/1.1\\r\\n\\r\\n"',
  ),
  exchange(
    'a response with a line that is no header',
    [
      { c: ask('/') },
      { s: `${head('HTTP/1.1 200 OK', 'No colon', 'Content-Length: 2')}ok` },
      { c: 'more' },
      ...END,
    ],
    'GET / ! Cannot parse HTTP response: Invalid header line: "No colon"',
    'TCP "< HTTP/1.1 200 OK\\r\\nNo colon\\r\\nContent-Length: 2\\r\\n\\r\\nok" "> more" # not read as HTTP: Invalid header line: "No colon"',
  ),
  exchange(
    'two lengths that differ',
    [
      { c: ask('/1') },
      { s: answer('a') },
      { c: `${post('/2', 'Content-Length: 2', 'Content-Length: 3')}abc` },
      ...END,
    ],
    'GET /1 | 200 OK "a"',
    'POST /2… ! invalid content-length header',
    'TCP "> POST /2 HTTP/1.1\\r\\nHost: wool.example\\r\\nContent-Length: 2\\r\\nContent-Length: 3\\r\\n\\r\\nabc" # not read as HTTP: invalid content-length header',
  ),
  exchange(
    'a chunk that is none',
    [
      { c: ask('/') },
      { s: `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}2\r\nok\r\nxyz\r\n` },
      ...END,
    ],
    'GET / | 200 OK "ok"… ! Cannot parse HTTP response: illegal chunk header: "xyz\\r"',
    'TCP "< xyz\\r\\n" # not read as HTTP: illegal chunk header: "xyz\\r"',
  ),
  exchange(
    'an upgrade to another protocol',
    [
      { c: `${post('/exec', 'Connection: Upgrade', 'Upgrade: tcp', 'Content-Length: 2')}{}` },
      { s: head('HTTP/1.1 101 UPGRADED', 'Upgrade: tcp') },
      { c: 'ping\n' },
      { s: 'pong\n' },
      ...END,
    ],
    'POST /exec "{}" | 101 UPGRADED',
    'TCP "> ping\\n" "< pong\\n"',
  ),
  exchange(
    'an upgrade that the app does not take',
    [
      { c: ask('/1', 'Connection: Upgrade', 'Upgrade: h2c') + ask('/2') },
      { s: answer('a') + answer('b') },
      ...END,
    ],
    'GET /1 | 200 OK "a"',
    'GET /2 | 200 OK "b"',
  ),
  exchange(
    'HTTP within the tunnel of a CONNECT',
    [
      { c: head('CONNECT mill.example:80 HTTP/1.1') },
      { s: head('HTTP/1.1 200 Connected') },
      { c: ask('/in') },
      { s: answer('ok') },
      ...END,
    ],
    'CONNECT mill.example:80 | 200 Connected',
    'GET /in | 200 OK "ok"',
  ),
  exchange(
    'a CONNECT that is refused',
    [
      { c: head('CONNECT mill.example:80 HTTP/1.1') },
      { s: answer('no', '405 Method Not Allowed') },
      { c: ask('/') },
      { s: answer('ok') },
      ...END,
    ],
    'CONNECT mill.example:80 | 405 Method Not Allowed "no"',
    'GET / | 200 OK "ok"',
  ),
];

const SOCKET = ask(
  '/chat',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: eA==',
);
const accept = (...headers: string[]) =>
  head('HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', ...headers);
const OPENED = 'GET /chat | 101 Switching Protocols';

/** A frame of a WebSocket, https://www.rfc-editor.org/rfc/rfc6455#section-5.2. */
export function socketFrame(first: number, payload: string | Buffer, mask?: number[]): Buffer {
  const bytes = Buffer.from(payload as string, 'latin1');
  const bit = mask ? 0x80 : 0;
  const size = Buffer.alloc(bytes.length < 126 ? 1 : bytes.length < 65536 ? 3 : 9);
  if (bytes.length < 126) size[0] = bit | bytes.length;
  else if (bytes.length < 65536) size.writeUInt16BE(bytes.length, 1);
  else size.writeBigUInt64BE(BigInt(bytes.length), 1);
  if (bytes.length >= 126) size[0] = bit | (bytes.length < 65536 ? 126 : 127);
  const masked = mask ? bytes.map((byte, at) => byte ^ (mask[at % 4] ?? 0)) : bytes;
  return Buffer.concat([Buffer.from([first]), size, Buffer.from(mask ?? []), masked]);
}

const MASK = [1, 2, 250, 99];
const fromClient = (first: number, payload: string) => ({ c: socketFrame(first, payload, MASK) });
const fromApp = (first: number, payload: string) => ({ s: socketFrame(first, payload) });

const SOCKETS: Exchange[] = [
  exchange(
    'messages in frames, with pings between',
    [
      { c: SOCKET },
      { s: accept() },
      fromClient(0x01, 'kn'),
      fromClient(0x89, 'ping'),
      fromClient(0x80, 'it'),
      fromApp(0x8a, 'ping'),
      fromApp(0x02, '\x01'),
      fromApp(0x00, ''),
      fromApp(0x80, '\xff'),
      fromClient(0x88, '\x03\xe8bye'),
      fromApp(0x88, '\x03\xe8'),
      ...END,
    ],
    `${OPENED} [> knit, < 01ff; client 1000]`,
  ),
  exchange(
    'a frame in the same piece as the head',
    [{ c: SOCKET }, { s: Buffer.concat([Buffer.from(accept()), socketFrame(0x81, 'early')]) }, ...END],
    `${OPENED} [< early; client 1006]`,
  ),
  exchange(
    'close codes of an app, and one that may not be sent',
    [{ c: SOCKET }, { s: accept() }, fromApp(0x88, '\x03\xeebad'), ...END],
    `${OPENED} [; server 1006]`,
  ),
  exchange(
    'a close without a code',
    [{ c: SOCKET }, { s: accept() }, fromApp(0x88, ''), fromClient(0x88, ''), ...END],
    `${OPENED} [; server 1005]`,
  ),
  exchange(
    'text that is not UTF-8',
    [
      { c: SOCKET },
      { s: accept() },
      fromApp(0x81, 'a\xff'),
      fromApp(0x81, 'ok'),
      fromApp(0x88, '\x0f\xa1'),
      ...END,
    ],
    `${OPENED} [< a\ufffd, < ok; server 4001]`,
  ),
  exchange(
    'an extension that nobody knows',
    [
      { c: SOCKET },
      { s: accept('Sec-WebSocket-Extensions: x-knit') },
      fromApp(0xa1, 'hi'),
      'app ends',
      'over',
    ],
    `${OPENED} [< hi; server 1006] # messages of an unknown extension are shown as they were sent`,
  ),
  exchange(
    'what is no frame',
    [{ c: SOCKET }, { s: accept() }, fromApp(0x81, 'hi'), { s: '\x83\x01x' }, ...END],
    `${OPENED} [< hi; open] ! WebSocket protocol error: unknown opcode 3`,
    'TCP "< \x83\\u0001x" # not read as WebSocket: unknown opcode 3',
  ),
  exchange(
    'a message that does not end',
    [{ c: SOCKET }, { s: accept() }, fromApp(0x01, 'begun'), 'app resets', 'over'],
    `${OPENED} [; server 1006] # a message that did not end is left out`,
  ),
];

/** Equivalents of what real clients and apps were seen to send, well-formed and not. */
export const EXCHANGES: Exchange[] = [...FRAMING, ...INTERIM, ...HEADS, ...ENDS, ...NOT_HTTP, ...SOCKETS];
