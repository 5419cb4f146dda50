import { answer, ask, head } from '../unit/wire-exchanges.ts';
import { type Case, MIB, noise, traffic, trickle } from './case.ts';

const OK = { s: answer('ok') };
const HOST = 'Host: wool.example';

/** Fields of both heads. */
const FIELDS: Case[] = [
  traffic(
    'field names doubled, in odd case, with underscores; values empty, padded, and beyond ASCII',
    [
      { c: ask('/f', 'x-a: 1', 'X-A: 2', 'X_A: 3', 'X-Empty:', 'X-Pad:   v  ', 'X-Bytes: \xe9\xff') },
      { s: answer('ok', '200 OK', 'x-b: 1', 'X-B: 2', 'X-Empty:', 'x-pad:  v ', 'X-Bytes: \xfe\x80') },
    ],
    'GET /f | 200 OK "ok"',
  ),
  traffic(
    'cookies in several fields, both ways',
    [
      { c: ask('/jar', 'Cookie: a=1', 'Cookie: b=2; c=3') },
      {
        s: answer(
          'ok',
          '200 OK',
          'Set-Cookie: a=1; Path=/',
          'set-cookie: b=2; Expires=Thu, 01 Jan 2026 00:00:00 GMT',
        ),
      },
    ],
    'GET /jar | 200 OK "ok"',
  ),
  traffic(
    'a request field that is folded',
    [{ c: ask('/fold', 'X-Fold: one\r\n two') }, OK],
    'GET /fold | 200 OK "ok"',
  ),
  traffic(
    'a response field that is folded',
    [{ c: ask('/fold') }, { s: answer('ok', '200 OK', 'X-Fold: one\r\n\ttwo') }],
    'GET /fold | 200 OK "ok"',
  ),
  traffic('a space before the colon', [{ c: ask('/space', 'X-A : 1') }, OK], 'GET /space | 200 OK "ok"'),
  traffic(
    'tabs around a value',
    [{ c: ask('/tab', 'X-A:\t1\t') }, { s: answer('ok', '200 OK', 'X-B:\t2') }],
    'GET /tab | 200 OK "ok"',
  ),
  traffic(
    'a request line of a field without a colon',
    [{ c: ask('/bare', 'no colon') }, OK],
    'TCP "> GET /bare HTTP/1.1\\r\\nHost: wool.example\\r\\nno colon\\r\\n\\r\\n" "< HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok" # not read as HTTP: Invalid header line: "no colon"',
  ),
  traffic(
    'a field without a name',
    [{ c: ask('/none', ': value') }, OK],
    'TCP "> GET /none HTTP/1.1\\r\\nHost: wool.example\\r\\n: value\\r\\n\\r\\n" "< HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok" # not read as HTTP: Invalid header line: ": value"',
  ),
  traffic(
    'a carriage return alone within a value',
    [{ c: ask('/cr', 'X-A: 1\r2') }, OK],
    'GET /cr | 200 OK "ok"',
  ),
  traffic('a NUL within a value', [{ c: ask('/nul', 'X-A: 1\x002') }, OK], 'GET /nul | 200 OK "ok"'),
  traffic(
    'two thousand fields each way',
    [
      { c: ask('/many', ...Array.from({ length: 2000 }, (_, n) => `X-${n}: ${n}`)) },
      { s: answer('ok', '200 OK', ...Array.from({ length: 2000 }, (_, n) => `Y-${n}: ${n}`)) },
    ],
    'GET /many | 200 OK "ok"',
  ),
  traffic(
    'a target of 90,000 bytes',
    [{ c: ask(`/?${'q'.repeat(90_000)}`) }, OK],
    'GET (90002 bytes, 162cb690) | 200 OK "ok"',
  ),
  traffic(
    'a value of 300,000 bytes each way',
    [
      { c: ask('/long', `Cookie: ${'c'.repeat(300_000)}`) },
      { s: answer('ok', '200 OK', `X-L: ${'l'.repeat(300_000)}`) },
    ],
    'GET /long | 200 OK "ok"',
  ),
  traffic(
    'hop-by-hop fields',
    [
      {
        c: ask(
          '/hop',
          'Connection: keep-alive, X-Hop',
          'Keep-Alive: timeout=5',
          'X-Hop: 1',
          'Proxy-Connection: keep-alive',
          'TE: trailers',
        ),
      },
      {
        s: answer(
          'ok',
          '200 OK',
          'Connection: keep-alive',
          'Keep-Alive: timeout=5, max=100',
          'Proxy-Authenticate: Basic',
        ),
      },
    ],
    'GET /hop | 200 OK "ok"',
  ),
  traffic(
    'fields by which proxies know each other',
    [
      {
        c: ask(
          '/via',
          'Via: 1.1 mill',
          'X-Forwarded-For: 198.51.100.7',
          'Forwarded: for=198.51.100.7',
          'Max-Forwards: 1',
        ),
      },
      OK,
    ],
    'GET /via | 200 OK "ok"',
  ),
];

const TARGETS: Case[] = [
  [
    'an absolute target',
    'GET http://mill.example:81/spin?q=1 HTTP/1.1',
    'GET mill.example:81/spin?q=1 | 200 OK "ok"',
  ],
  [
    'an absolute target of https',
    'GET https://mill.example/spin HTTP/1.1',
    'GET mill.example/spin | 200 OK "ok"',
  ],
  [
    'an absolute target with a user',
    'GET http://ann:secret@mill.example/spin HTTP/1.1',
    'GET ann:secret@mill.example/spin | 200 OK "ok"',
  ],
  [
    'an absolute target without a path',
    'GET http://mill.example?q HTTP/1.1',
    'GET mill.example/?q | 200 OK "ok"',
  ],
  [
    'a target of another scheme',
    'GET ftp://mill.example/wool HTTP/1.1',
    'GET mill.example/wool | 200 OK "ok"',
  ],
  ['the target of all', 'OPTIONS * HTTP/1.1'],
  ['a target that begins with two slashes', 'GET //mill.example/spin HTTP/1.1'],
  ['a target with dots', 'GET /a/../b/./c//d HTTP/1.1'],
  ['a target with bytes that should be escaped', 'GET /a|b^{}"<>\\%zz?x=[1] HTTP/1.1'],
  ['a target with a fragment', 'GET /page#part?q HTTP/1.1'],
  ['a target with spaces', 'GET /two more words HTTP/1.1'],
  ['a target in UTF-8', 'GET /caf\xc3\xa9?\xe2\x82\xac HTTP/1.1', 'GET /café?€ | 200 OK "ok"'],
  ['a target in Latin-1', 'GET /caf\xe9 HTTP/1.1'],
  ['a target with escapes of everything', 'GET /%00%0d%0a%2f%25?%3f=%26&+=+ HTTP/1.1'],
  ['a query without anything', 'GET /? HTTP/1.1'],
  ['a target that is no path', 'GET wool HTTP/1.1'],
  ['a method in small letters', 'get /small HTTP/1.1'],
  ['a method with a hyphen', 'M-SEARCH /seek HTTP/1.1'],
  ['a method of 40 letters', `${'KNIT'.repeat(10)} /long HTTP/1.1`],
  ['TRACE', 'TRACE /trace HTTP/1.1'],
  ['PURGE', 'PURGE /cache HTTP/1.1'],
  ['two spaces in the request line', 'GET  /gap HTTP/1.1', 'GET /gap | 200 OK "ok"'],
  [
    'a space after the version',
    'GET /after HTTP/1.1 ',
    'TCP "> GET /after HTTP/1.1 \\r\\nHost: wool.example\\r\\n\\r\\n" "< HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"',
  ],
  ['a version of the future', 'GET /future HTTP/1.9'],
  [
    'a version in small letters',
    'GET /small http/1.1',
    'TCP "> GET /small http/1.1\\r\\nHost: wool.example\\r\\n\\r\\n" "< HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"',
  ],
].map(([title = '', line = '', shown]) =>
  traffic(title, [{ c: head(line, HOST) }, OK], shown ?? `${line.replace(/ HTTP.*/, '')} | 200 OK "ok"`),
);

const HOSTS: Case[] = [
  ['of IPv6', 'Host: [2001:db8::7]:8080'],
  ['in capitals', 'HOST: WOOL.EXAMPLE'],
  ['with a dot and a port', 'Host: Wool.Example.:8080'],
  ['with a port that is none', 'Host: wool.example:port'],
  ['with a path', 'Host: wool.example/x'],
  ['with spaces', 'Host: wool example'],
  ['with an underscore', 'Host: my_svc'],
  ['that is empty', 'Host:'],
  ['in two fields', 'Host: a.example\r\nHost: b.example'],
].map(([title = '', field = '']) =>
  traffic(`a Host ${title}`, [{ c: head('GET /host HTTP/1.1', field) }, OK], 'GET /host | 200 OK "ok"'),
);

/** A status line, and what is shown of it. */
const STATUSES: Case[] = [
  ['with a space and no reason', 'HTTP/1.1 200 ', 'GET /status | 200 "ok"'],
  ['with a reason in UTF-8', 'HTTP/1.1 200 D\xc3\xa9j\xc3\xa0 vu', 'GET /status | 200 Déjà vu "ok"'],
  ['with a long reason', `HTTP/1.1 200 ${'so '.repeat(300)}`, 'GET /status | 200 (899 bytes, 64dcd13e) "ok"'],
  ['of HTTP/1.0', 'HTTP/1.0 200 OK', 'GET /status | 200 OK "ok"'],
  ['of HTTP/1.0 that keeps alive', 'HTTP/1.0 200 OK\r\nConnection: keep-alive', 'GET /status | 200 OK "ok"'],
  ['with a status of 600', 'HTTP/1.1 600 Beyond', 'GET /status | 600 Beyond "ok"'],
  [
    'with a status of four digits',
    'HTTP/1.1 2000 Many',
    'GET /status ! Cannot parse HTTP response: Bad HTTP response line: "HTTP/1.1 2000 Many"',
    'TCP "< HTTP/1.1 2000 Many\\r\\nContent-Length: 2\\r\\n\\r\\nok" # not read as HTTP: Bad HTTP response line: "HTTP/1.1 2000 Many"',
  ],
  [
    'in small letters',
    'http/1.1 200 ok',
    'GET /status ! Cannot parse HTTP response: Bad HTTP response line: "http/1.1 200 ok"',
    'TCP "< http/1.1 200 ok\\r\\nContent-Length: 2\\r\\n\\r\\nok" # not read as HTTP: Bad HTTP response line: "http/1.1 200 ok"',
  ],
  [
    'of ICY',
    'ICY 200 OK',
    'GET /status ! Cannot parse HTTP response: Bad HTTP response line: "ICY 200 OK"',
    'TCP "< ICY 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok" # not read as HTTP: Bad HTTP response line: "ICY 200 OK"',
  ],
].map(([title, line = '', ...shown]) =>
  traffic(
    `a status line ${title}`,
    [{ c: ask('/status') }, { s: `${head(line, 'Content-Length: 2')}ok` }],
    ...shown,
  ),
);

const OLD: Case[] = [
  traffic(
    'HTTP/0.9',
    [{ c: 'GET /old\r\n' }, { s: '<p>old</p>' }, 'app ends'],
    'TCP "> GET /old\\r\\n" "< <p>old</p>"',
  ),
  traffic(
    'HTTP/1.0 with a Host and a body',
    [
      { c: `${head('POST /old HTTP/1.0', HOST, 'Content-Length: 3')}abc` },
      { s: `${head('HTTP/1.0 200 OK')}ok` },
      'app ends',
    ],
    'POST /old "abc" | 200 OK "ok"',
  ),
  traffic(
    'a request in which LF alone and CRLF are mixed',
    [
      { c: 'GET /mixed HTTP/1.1\r\nHost: wool\nX-A: 1\r\n\n' },
      { s: 'HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok' },
    ],
    'GET /mixed | 200 OK "ok"',
  ),
  traffic(
    'a request head in pieces of a byte',
    [...trickle('c', ask('/slowly')), OK],
    'GET /slowly | 200 OK "ok"',
  ),
  traffic(
    'a response head in pieces of a byte',
    [{ c: ask('/slowly') }, ...trickle('s', answer('ok'))],
    'GET /slowly | 200 OK "ok"',
  ),
  traffic(
    'a head of 2 MB that does not end',
    [{ c: `GET /endless HTTP/1.1\r\nX-A: ${noise('head', MIB).toString('hex')}` }],
    'TCP "> (2097180 bytes, fb885c6b)" # not read as HTTP: a head of more than 1048576 bytes',
  ),
];

export const HEADS: Case[] = [...FIELDS, ...TARGETS, ...HOSTS, ...STATUSES, ...OLD];
