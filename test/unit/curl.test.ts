import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as http2Server } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type Flow, toFlow } from '../../scripts/lib/flow/flow.ts';
import type { Dict } from '../../scripts/lib/flow/tnetstring.ts';
import { formatCurl } from '../../scripts/lib/formats/curl.ts';
import { readFlows } from '../../scripts/lib/formats/read.ts';
import { http, tcp } from './report-flows.ts';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

interface Asked {
  method?: string;
  path?: string | Buffer;
  version?: string;
  scheme?: string;
  host?: string;
  headers?: [string | Buffer, string | Buffer][];
  body?: string | Buffer;
}

/** A flow whose request may contain any bytes. */
function flowFor(asked: Asked, port = 8080): Flow {
  const { state } = http({});
  const { method = 'GET', path = '/', version = 'HTTP/1.1', scheme = 'http', host = 'localhost' } = asked;
  const request = state.get('request') as Dict;
  request.set('method', Buffer.from(method));
  request.set('path', Buffer.from(path));
  request.set('http_version', Buffer.from(version));
  request.set('scheme', Buffer.from(scheme));
  request.set('host', host);
  request.set('port', port);
  const headers = asked.headers ?? [];
  request.set(
    'headers',
    headers.map(([name, value]) => [Buffer.from(name), Buffer.from(value)]),
  );
  request.set('content', Buffer.from(asked.body ?? ''));
  return toFlow(state);
}

interface Arrived {
  line: string;
  headers: [string, string][];
  body: Buffer;
}

/** A server that accepts any bytes; a real server would refuse some requests. Texts are Latin-1. */
const arrived: Arrived[] = [];
const server = createServer((socket: Socket) => {
  let got = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (data) => {
    got = Buffer.concat([got, data]);
    const end = got.indexOf('\r\n\r\n');
    if (end < 0) return;
    const [line = '', ...lines] = got.toString('latin1', 0, end).split('\r\n');
    const headers = lines.map((text): [string, string] => {
      const at = text.indexOf(':');
      return [text.slice(0, at), text.slice(at + 1).replace(/^ /, '')];
    });
    const length = Number(headers.find(([name]) => name === 'Content-Length')?.[1] ?? 0);
    const body = got.subarray(end + 4);
    if (body.length < length) return;
    arrived.push({ line, headers, body });
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
});
const folder = mkdtempSync(join(tmpdir(), 'mittens-curl-'));
let port = 0;
before(async () => {
  await once(server.listen(0, 'localhost'), 'listening');
  port = (server.address() as AddressInfo).port;
  for (const name of ['x', 'etc']) writeFileSync(join(folder, name), 'a file that curl must not read');
});
beforeEach(() => arrived.splice(0));
after(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** Runs lines in a shell, in a folder with a few files and without configuration. */
async function run(shell: string[], lines: string[]): Promise<void> {
  const script = join(folder, 'script');
  writeFileSync(script, lines.map((line) => `${line}\n`).join(''));
  const [program = 'sh', ...args] = shell;
  const env = { PATH: process.env.PATH, HOME: folder, LC_ALL: 'C.UTF-8' };
  const child = spawn(program, [...args, script], { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
  const [said] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  assert.doesNotMatch(said, /curl: \(|not found|syntax|rror/, said);
  assert.deepEqual(readdirSync(folder), ['etc', 'script', 'x'], 'another program has run');
}

/** Sends a request with its curl command. @returns what arrived. */
async function replay(asked: Asked): Promise<Arrived> {
  await run(['sh'], [formatCurl(flowFor(asked, port))]);
  assert.equal(arrived.length, 1);
  return arrived[0] as Arrived;
}

/** Headers that curl adds to every request of these tests. */
const CURLS_OWN = ['Host', 'Content-Length'];
const withoutCurls = ({ headers }: Arrived) => headers.filter(([name]) => !CURLS_OWN.includes(name));

const HOSTILE = [
  `'`,
  `"`,
  '`touch pwned`',
  '$(touch pwned)',
  `'; touch pwned; '`,
  `'\\''`,
  '\\',
  '\\n',
  '$HOME ~ * ? [a-z] {a,b}',
  '!!',
  '!$(touch pwned)',
  '#',
  '%s%n%%',
  '-o pwned',
  '--output=pwned',
  '-',
  '@x',
  '<x',
  '&& touch pwned',
  '| touch pwned',
  'F\u00e4ustling \u8336 \u{1f9e4}',
  '\u202egnippirt\u202c',
  '\u200b\ufeff',
  latin1('\x80\xfe\xff'),
  latin1('\x1b[201~\x1b]0;title\x07\x01\x7f'),
  'tab\there',
];
const BODIES = [
  ...HOSTILE,
  'line\nline\n',
  '\n',
  '\r\n\r\n',
  '\0',
  '\x001\x007',
  'a\0b\n\n',
  '-\0',
  Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  '{"text":"it\'s 100% \\"fine\\"!"}\n',
];

const curl = spawnSync('curl', ['--version']).status === 0;
const left = curl ? '' : ' (skipped: curl is not installed)';
const SHELLS = [['sh'], ['dash'], ['bash'], ['zsh'], ['ksh93'], ['mksh'], ['busybox', 'sh']].filter(
  ([program = '', ...args]) => spawnSync(program, [...args, '-c', ':']).status === 0,
);

describe(`formatCurl, run by curl${left}`, { skip: !curl }, () => {
  for (const shell of SHELLS) {
    it(`sends every body byte for byte from ${shell.join(' ')}`, async () => {
      await run(
        shell,
        BODIES.map((body) => formatCurl(flowFor({ method: 'POST', body }, port))),
      );
      assert.deepEqual(
        arrived.map(({ body }) => body),
        BODIES.map((body) => Buffer.from(body)),
      );
    });

    it(`sends every header and path byte for byte from ${shell.join(' ')}`, async () => {
      const asked = HOSTILE.map((value): Asked => {
        const path = Buffer.concat([Buffer.from('/'), Buffer.from(value)]);
        return { path, headers: [['X-Value', Buffer.concat([Buffer.from('v'), Buffer.from(value)])]] };
      });
      await run(
        shell,
        asked.map((asked) => formatCurl(flowFor(asked, port))),
      );
      for (const [index, value] of HOSTILE.entries()) {
        const bytes = Buffer.from(value).toString('latin1');
        const { line, headers } = arrived[index] as Arrived;
        // A request line cannot contain these characters.
        const path = bytes.replace(/[\0-\x20\x7f]/g, (char) => encodeURIComponent(char));
        assert.equal(line, `GET /${path} HTTP/1.1`);
        assert.deepEqual(headers.slice(1), [['X-Value', `v${bytes}`]]);
      }
    });
  }

  it('gives one line without characters that a terminal acts on', () => {
    for (const value of BODIES) {
      const bytes = Buffer.from(value);
      const command = formatCurl(flowFor({ path: bytes, headers: [['X', bytes]], body: bytes }));
      assert.doesNotMatch(command, /[\p{C}\p{Zl}\p{Zp}]/u);
    }
  });

  it('sends a body that is too long for an argument', async () => {
    const body = Buffer.from('0123456789abcde\n'.repeat(64 * 1024));
    assert.ok((await replay({ method: 'PUT', body })).body.equals(body));
  });

  it('sends any method', async () => {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS', 'PURGE', "a'b", '-o'])
      assert.equal((await replay({ method })).line, `${method} / HTTP/1.1`, String(arrived.splice(0)));
  });

  it('does not wait for a body after HEAD', async () => {
    assert.equal((await replay({ method: 'HEAD' })).line, 'HEAD / HTTP/1.1');
  });

  it('sends GET with a body as GET', async () => {
    const { line, body } = await replay({ body: '{}' });
    assert.deepEqual([line, String(body)], ['GET / HTTP/1.1', '{}']);
  });

  it('sends Content-Length: 0 if the request did', async () => {
    const { line, headers } = await replay({ method: 'POST', headers: [['content-length', '0']] });
    assert.deepEqual([line, ...headers.slice(1)], ['POST / HTTP/1.1', ['Content-Length', '0']]);
  });

  it('sends a path unchanged that curl would normalize', async () => {
    for (const path of ['/a/../b', '/./', '/..', '/%2e%2e/x', '//a//b', '/?', '/a?b=/../c', '*', '/a#b']) {
      const { line } = await replay({ method: 'OPTIONS', path });
      assert.equal(line, `OPTIONS ${path} HTTP/1.1`);
      arrived.splice(0);
    }
  });

  it('sends brackets and braces in a URL unchanged', async () => {
    const path = '/items?filter[name]={a,b}&range=[1-3]';
    assert.equal((await replay({ path })).line, `GET ${path} HTTP/1.1`);
  });

  it('sends the headers of the request and no others', async () => {
    const headers: Asked['headers'] = [
      ['X-Twice', '1'],
      ['X-Twice', '2'],
      ['X-Empty', ''],
      ['X-Semicolon', ';'],
      ['Cookie', 'a=1; b="2"'],
      ['Content-Type', 'text/plain'],
      ['Authorization', 'Basic Og=='],
      ['Accept-Encoding', 'gzip, x-made-up'],
    ];
    const sent = await replay({ method: 'POST', headers, body: 'x'.repeat(2_000_000) });
    assert.deepEqual(withoutCurls(sent).sort(), [...headers].sort());
  });

  it('lets curl set Content-Length and Transfer-Encoding', async () => {
    const headers: Asked['headers'] = [
      ['content-length', '999'],
      ['transfer-encoding', 'chunked'],
    ];
    const { headers: sent, body } = await replay({ method: 'POST', headers, body: 'abc' });
    assert.deepEqual([sent.slice(1), String(body)], [[['Content-Length', '3']], 'abc']);
  });

  it('leaves out headers that would make curl read a file or inject other headers', async () => {
    const headers: Asked['headers'] = [
      ['@x', 'y'],
      ['@etc', ''],
      ['X-A', '1\r\nX-B: 2'],
      ['X-C', '1\0'],
      ['X-D: 3\r\nX-E', '4'],
      ['', 'x'],
      [':path', '/'],
      ['X Y', '5'],
    ];
    assert.deepEqual(withoutCurls(await replay({ headers })), []);
  });

  it('sends an invalid Host header to the server of the flow', async () => {
    for (const host of [
      'shop.example/x?',
      'a@b',
      '-x',
      'x y',
      '$(touch pwned)',
      'shop:0',
      '::1',
      'a,b',
      '777',
    ]) {
      const { headers } = await replay({ headers: [['Host', host]] });
      assert.deepEqual(headers, [['Host', host]]);
      arrived.splice(0);
    }
  });

  it('connects to the host and port that the client asked for', () => {
    const command = (host: string, scheme = 'http') =>
      formatCurl(flowFor({ scheme, headers: [['host', host]] }));
    const none = ` -H 'User-Agent:' -H 'Accept:'`;
    assert.equal(command('shop.example:81'), `curl http://shop.example:81/${none}`);
    assert.equal(command('shop.example', 'https'), `curl https://shop.example/${none}`);
    assert.equal(command('[::1]:81'), `curl 'http://[::1]:81/' --globoff${none}`);
    assert.equal(command('10.0.0.1'), `curl http://10.0.0.1/${none}`);
    assert.equal(command('shop:80'), `curl http://shop/ -H 'host: shop:80'${none}`);
  });

  it('never makes curl use another protocol than http or https', () => {
    for (const scheme of ['file', 'dict', 'FILE', ''])
      assert.match(
        formatCurl(flowFor({ scheme, path: '/etc/passwd' })),
        /^curl http:\/\/localhost:8080\/etc\/passwd /,
      );
    for (const path of ['file:///etc/passwd', 'http://evil.example/']) {
      const command = formatCurl(flowFor({ path }));
      assert.match(command, /^curl http:\/\/localhost:8080\/ --request-target /);
    }
    assert.match(formatCurl(flowFor({ host: 'file:///x' })), /^curl http:\/\/invalid\/ /);
  });

  it('uses HTTP/1.0 and unencrypted HTTP/2 if the client did', async () => {
    assert.equal((await replay({ version: 'HTTP/1.0' })).line, 'GET / HTTP/1.0');
    const server = http2Server();
    const asked: unknown[] = [];
    server.on('stream', async (stream, headers) => {
      asked.push(headers[':path'], headers['x-a'], await text(stream));
      stream.respond({ ':status': 200 });
      stream.end();
    });
    await once(server.listen(0, 'localhost'), 'listening');
    const { port } = server.address() as AddressInfo;
    const flow = flowFor(
      { method: 'POST', path: '/h2', version: 'HTTP/2.0', headers: [['x-a', '1']], body: 'b' },
      port,
    );
    await run(['sh'], [formatCurl(flow)]);
    server.close();
    assert.deepEqual(asked, ['/h2', '1', 'b']);
  });

  it('sends the requests that mitmproxy recorded', async () => {
    const asked: Flow[] = [];
    for (const version of ['8.1', '11.0']) {
      const file = new URL(`../flows/${version}.mitm`, import.meta.url).pathname;
      for await (const { flow } of readFlows(file, () => assert.fail('truncated'))) asked.push(flow);
    }
    const to = ['--connect-to', `::localhost:${port}`].join(' ');
    await run(
      ['sh'],
      asked.map((flow) => formatCurl(flow).replace(/curl /, `curl ${to} `)),
    );
    assert.deepEqual(
      arrived.map(({ line, body }) => [line, body]),
      asked.map(({ request }) => [`${request?.method} ${request?.path} HTTP/1.1`, request?.content]),
    );
  });
});

describe('formatCurl', () => {
  it('gives an empty text for a flow that is not http', () => {
    assert.equal(formatCurl(tcp(0, [])), '');
  });

  it('gives a comment for a body that is too long', () => {
    const body = Buffer.alloc(64 * 1024 * 1024 + 1);
    assert.match(formatCurl(flowFor({ body })), /^# a request with a body of .* is too long for a command$/);
  });
});
