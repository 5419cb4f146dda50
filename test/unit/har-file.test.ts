import assert from 'node:assert/strict';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { type Flow, parseFlow, toFlow } from '../../scripts/lib/flow/flow.ts';
import type { Dict, Value } from '../../scripts/lib/flow/tnetstring.ts';
import { encode } from '../../scripts/lib/flow/tnetstring-encode.ts';
import { readFlows } from '../../scripts/lib/formats/read.ts';
import { UserError } from '../../scripts/lib/util/error.ts';
import { execute, type Result } from '../execute.ts';
import { mitmproxyProgram, python } from '../flows/python.ts';
import { commandLine } from '../scripts.ts';
import { assertSame, readAll, recording, toHar } from './har-flows.ts';
import { http, shopFlows } from './report-flows.ts';

const folder = mkdtempSync(join(tmpdir(), 'mittens-har-file-'));
after(() => rmSync(folder, { recursive: true }));

function fileWith(content: string | Buffer, name = 'x.har'): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

async function flows(args: string[], input?: string): Promise<Result> {
  const [node = '', ...line] = commandLine('flows', args);
  return await execute(node, line, input);
}

/** A flow with other fields in its request or response. */
function changed(flow: Flow, parts: Record<'request' | 'response', Record<string, Value>>): Flow {
  const state: Dict = new Map(flow.state);
  for (const [name, fields] of Object.entries(parts))
    state.set(name, new Map([...(state.get(name) as Dict), ...Object.entries(fields)]));
  return toFlow(state);
}

/** Flows of kinds that the recordings do not have. */
function rareFlows(): Flow[] {
  const h2 = { http_version: Buffer.from('HTTP/2.0') };
  const trailers = [[Buffer.from('x-checksum'), Buffer.from('17')]];
  const binary = Buffer.from([0, 255, 254, 1]);
  const latin = Buffer.from('Müll für alle', 'latin1');
  const type = (type: string) => ({ 'content-type': type });
  return [
    changed(http({ path: '/h2' }), {
      request: { ...h2, authority: Buffer.from('shop.example') },
      response: h2,
    }),
    changed(http({ path: '/trailers' }), { request: { trailers }, response: { trailers } }),
    http({ method: 'POST', path: '/binary', requestBody: binary, responseBody: binary }),
    http({ path: '/latin', responseHeaders: type('text/plain; charset="iso-8859-1"'), responseBody: latin }),
    http({ path: '/no-latin', responseHeaders: type('text/plain'), responseBody: latin }),
    http({ path: '/bad-gzip', responseHeaders: { 'content-encoding': 'gzip' }, responseBody: 'not gzip' }),
    http({
      method: 'POST',
      path: '/gzip',
      requestHeaders: { 'content-encoding': 'gzip' },
      requestBody: gzipSync('tea'),
    }),
    http({ path: '/cut', error: 'connection closed by peer', responseBody: 'half of ' }),
    http({ path: '/lost', status: undefined, error: 'connection refused' }),
    http({ path: '/waiting', status: undefined }),
    http({
      method: 'HEAD',
      path: '/head',
      responseHeaders: { 'content-encoding': 'gzip', 'content-length': '9' },
    }),
    http({ path: '/streamed', responseBody: null, responseHeaders: { 'transfer-encoding': 'chunked' } }),
    http({ path: '/names', responseHeaders: { constructor: '1', 'x-empty': '' }, comment: 'a "comment"' }),
  ];
}

describe('writing and reading HAR', () => {
  for (const name of ['8.1.mitm', '11.0.mitm']) {
    it(`keeps the flows of ${name} the same`, async () => {
      const before = await readAll(recording(name));
      const after = await readAll(fileWith(await toHar(before)));
      assert.ok(before.some(({ websocket }) => websocket) && before.some(({ error }) => error));
      assertSame(after, before);
    });
  }

  it('keeps unusual flows the same', async () => {
    const before = [...shopFlows(300), ...rareFlows()].filter(({ type }) => type === 'http');
    const after = await readAll(fileWith(await toHar(before)));
    assertSame(after, before);
  });

  it('writes the same entries again, except for content encodings', async () => {
    const plain = rareFlows().filter(({ request }) => !request?.path.includes('gzip'));
    const first = await toHar([...plain, ...[...shopFlows(30)].filter(({ response }) => response)]);
    const again = await toHar(await readAll(fileWith(first)));
    const parseEntries = (har: string) =>
      JSON.parse(har).log.entries.map(({ connection, ...entry }: { connection: string }) => entry);
    const encoded = (entry: { response: { headers: { name: string }[] } }) =>
      entry.response.headers.some(({ name }) => name === 'content-encoding');
    const isPlain = parseEntries(first).map((entry: never) => !encoded(entry));
    const pick = (entries: unknown[]) => entries.filter((_, index) => isPlain[index]);
    assert.ok(isPlain.filter(Boolean).length > 20);
    assert.deepEqual(pick(parseEntries(again)), pick(parseEntries(first)));
  });

  it('makes Content-Length and Content-Encoding match the decoded body', async () => {
    const zipped = gzipSync('tea');
    const headers = { 'Content-Encoding': 'gzip', 'Content-Length': String(zipped.length), etag: '"1"' };
    const [flow] = await readAll(
      fileWith(await toHar([http({ responseHeaders: headers, responseBody: zipped })])),
    );
    assert.deepEqual(flow?.response?.headers, [
      ['Content-Length', '3'],
      ['etag', '"1"'],
    ]);
    assert.equal(flow?.response?.content?.toString(), 'tea');
  });
});

describe('a HAR entry', () => {
  it('keeps microseconds of its start', async () => {
    const startedDateTime = '2026-11-23T10:00:00.123456Z';
    const [, flow] = await readAll(fileWith(harWith({ startedDateTime })));
    assert.ok(flow);
    assert.equal(JSON.parse(await toHar([flow])).log.entries[0].startedDateTime, startedDateTime);
  });

  it('has a valid start at the end of time', async () => {
    const flow = changed(http({}), { request: { timestamp_start: 1e30 }, response: {} });
    const [entry] = JSON.parse(await toHar([flow])).log.entries;
    assert.equal(entry.startedDateTime, '9999-12-31T23:59:59.999000Z');
  });

  it('keeps the mimeType of messages without Content-Type', async () => {
    const har = harWith({
      request: { ...minimal.request, method: 'POST', postData: { mimeType: 'application/json', text: '{}' } },
      response: { status: 200, content: { mimeType: 'text/html', text: 'x' } },
    });
    const [, flow] = await readAll(fileWith(har));
    assert.ok(flow);
    assert.deepEqual([flow.request?.headers, flow.response?.headers], [[], []]);
    const [entry] = JSON.parse(await toHar([flow])).log.entries;
    assert.equal(entry.request.postData.mimeType, 'application/json');
    assert.equal(entry.response.content.mimeType, 'text/html');
  });
});

describe('a HAR file by Chrome', async () => {
  const [page, image, refused, socket, ...more] = await readAll(recording('chrome.har'));

  it('gives no flows for entries that did not use the network', () => assert.deepEqual(more, []));

  it('gives HTTP/2 requests without pseudo-headers, and decoded bodies', () => {
    assert.equal(page?.request?.httpVersion, 'HTTP/2.0');
    assert.equal(page.request.authority, 'shop.example');
    assert.equal(page.request.path, '/?q=tea%20pot');
    assert.deepEqual(page.request.headers, [
      ['accept-encoding', 'gzip, deflate, br, zstd'],
      ['cookie', 'cart=17'],
    ]);
    assert.equal(page.response?.content?.toString(), '<title>Café</title><h1>茶碗</h1>');
    assert.deepEqual(page.response.headers, [
      ['content-length', '35'],
      ['content-type', 'text/html; charset=utf-8'],
      ['set-cookie', 'a=1; Path=/'],
      ['set-cookie', 'b=2; Secure'],
    ]);
  });

  it('gives times and addresses', () => {
    const start = Date.parse('2026-11-23T10:00:00.101Z');
    const { request, response, server } = page ?? assert.fail();
    const times = [request?.start, request?.end, server.start, server.connected, server.encrypted];
    const ms = [...times, response?.start, response?.end].map((time) =>
      Math.round((time ?? 0) * 1e5 - start * 100),
    );
    assert.deepEqual(ms, [0, 25, 675, 1675, 3675, 5875, 6125]);
    assert.deepEqual(server.peer, ['2001:db8::17', 443]);
    assert.deepEqual(server.address, ['shop.example', 443]);
    assert.equal(image?.server.peer, undefined);
  });

  it('gives binary bodies, forms, errors and WebSocket messages', () => {
    assert.equal(image?.request?.httpVersion, 'HTTP/3');
    assert.deepEqual(image.response?.content, Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]));
    assert.equal(refused?.request?.content?.toString(), 'id=17&n=%C3%A4');
    assert.equal(refused.request.port, 8080);
    assert.equal(refused.response, undefined);
    assert.equal(refused.error?.message, 'net::ERR_CONNECTION_REFUSED');
    assert.equal(socket?.request?.scheme, 'https');
    assert.deepEqual(socket.websocket?.messages, [
      {
        text: true,
        fromClient: true,
        content: Buffer.from('{"subscribe":"茶"}'),
        timestamp: 1795428001.25,
        dropped: false,
      },
      {
        text: false,
        fromClient: false,
        content: Buffer.from([0, 1, 255]),
        timestamp: 1795428001.5,
        dropped: false,
      },
    ]);
  });
});

describe('a HAR file by Firefox', async () => {
  const [order, cached, blocked] = await readAll(recording('firefox.har'));

  it('gives bodies in the charset of their content type', () => {
    assert.equal(order?.request?.content?.toString(), '{"name":"Fäustling","n":1}');
    assert.equal(order.request.httpVersion, 'HTTP/2.0');
    assert.equal(order.request.authority, 'shop.example');
    // ISO 8859-1 is Windows-1252 on the web: https://encoding.spec.whatwg.org/#names-and-labels.
    assert.deepEqual(order.response?.content, Buffer.from('M\xfcll f\xfcr 5 \x80', 'latin1'));
    assert.equal(order.created, Date.parse('2026-11-23T10:00:00.250Z') / 1000);
  });

  it('is read without bodies, times and versions', () => {
    assert.equal(cached?.response?.status, 200);
    assert.equal(cached.response.content, undefined);
    assert.equal(cached.request?.httpVersion, 'HTTP/1.1');
    assert.equal(cached.response.end, cached.request.start);
    assert.equal(blocked?.request?.path, '/track');
    assert.deepEqual([blocked.response, blocked.error], [undefined, undefined]);
  });
});

describe('a HAR file by mitmproxy', () => {
  for (const name of ['8.1.mitm', '11.0.mitm']) {
    it(`gives the same flows as ${name}, from which it was made`, async () => {
      const har = join(folder, 'hardump.har');
      const args = ['-n', '-q', '-r', recording(name), '--set', `hardump=${har}`];
      await execute(mitmproxyProgram('mitmdump'), args);
      const [before, after] = [await readAll(recording(name)), await readAll(har)];
      // mitmproxy leaves out comments, and writes request bodies only for POST, PUT and PATCH.
      assertSame(after, before);
    });
  }

  it('gives the right bytes for bodies without a charset', async () => {
    const entry = (type: string, text: string) => ({
      ...minimal,
      response: { ...minimal.response, headers: [{ name: 'content-type', value: type }], content: { text } },
    });
    const bytes: [string, string, Buffer][] = [
      ['text/event-stream', 'data: FÃ¤ustling', Buffer.from('data: Fäustling')],
      ['text/plain', 'F\u00e4ustling', Buffer.from('F\u00e4ustling', 'latin1')],
      ['image/png', '\u0089PNG', Buffer.from([0x89, 0x50, 0x4e, 0x47])],
      ['application/json', '"F\u00e4ustling"', Buffer.from('"Fäustling"')],
      ['text/html', 'F\u00e4ustling', Buffer.from('Fäustling')],
      ['text/plain', '\udce4 茶', Buffer.from([0xe4, 0x20, 0xe8, 0x8c, 0xb6])],
    ];
    const log = { creator: { name: 'mitmproxy' }, entries: bytes.map(([type, text]) => entry(type, text)) };
    const flows = await readAll(fileWith(JSON.stringify({ log })));
    assert.deepEqual(
      flows.map(({ response }) => response?.content),
      bytes.map(([, , content]) => content),
    );
  });
});

describe('a flow file made from HAR', () => {
  it('can be opened by mitmproxy', async () => {
    const out = join(folder, 'x.mitm');
    const { code, stderr } = await flows([recording('chrome.har'), recording('firefox.har'), '-w', out]);
    assert.deepEqual([code, stderr], [0, '']);
    const opened = await python(READ_BY_MITMPROXY, out);
    assert.deepEqual(JSON.parse(opened.toString()), [
      ['GET', 'https://shop.example/?q=tea%20pot', 200, '<title>Café</title><h1>茶碗</h1>', null, 0],
      ['GET', 'https://shop.example/dot.png', 200, '\ufffdPNG\r\n\u001a\n', null, 0],
      ['POST', 'http://shop.example:8080/orders', 0, '', 'net::ERR_CONNECTION_REFUSED', 0],
      ['GET', 'https://shop.example/prices', 101, '', null, 2],
      ['PUT', 'https://shop.example/orders/17', 422, 'Müll für 5 \u0080', null, 0],
      ['GET', 'https://shop.example/logo.png', 200, '', null, 0],
      ['GET', 'https://ads.example/track', 0, '', null, 0],
    ]);
    const shown = await execute(mitmproxyProgram('mitmdump'), ['-n', '-r', out, '--set', 'flow_detail=3']);
    assert.match(shown.stdout, /GET https:\/\/shop\.example\/\?q=tea%20pot HTTP\/2\.0/);
    assert.doesNotMatch(shown.stdout + shown.stderr, /Traceback|Error in WebSocket/);
  });

  it('does not differ from the flow file from which the HAR was made', async () => {
    const har = fileWith(await toHar(await readAll(recording('11.0.mitm'))), 'base.har');
    const { code, stdout, stderr } = await flows(['diff', har, recording('11.0.mitm'), '--exit-code']);
    assert.deepEqual([code, stdout, stderr], [0, '', 'No differences found.\n']);
  });

  it('is the same from stdin, under any file name, sorted, and together with flow files', async () => {
    const har = readFileSync(recording('chrome.har'), 'utf8');
    const named = fileWith(`\ufeff \n${har}`, 'named.mitm');
    const expected = ['/?q=tea%20pot', '/dot.png', '/orders', '/prices'];
    for (const [args, input] of [
      [[named, '--sort', 'path']],
      [['-', '--sort', 'path'], har],
      [['-'], `\n${har}`],
      [
        [
          recording('8.1.mitm'),
          named,
          recording('11.0.mitm'),
          '--filter',
          '~d shop.example',
          '--sort',
          'path',
        ],
      ],
    ] as [string[], string?][]) {
      const { stdout, stderr } = await flows([...args, '-o', 'jsonl'], input);
      const urls = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).request.url);
      assert.deepEqual(
        urls.map((url) => url.replace(/^\w+:\/\/[^/]*/, '')),
        expected,
        stderr,
      );
    }
  });
});

const READ_BY_MITMPROXY = `
import json, sys
from mitmproxy.io import FlowReader
flows = []
for flow in FlowReader(open(sys.argv[1], "rb")).stream():
    r = flow.response
    body = (r.text if r and r.content and "text" in r.headers["content-type"] else r.content.decode("utf8", "replace") if r and r.content else "")
    messages = len(flow.websocket.messages) if flow.websocket else 0
    flows.append([flow.request.method, flow.request.pretty_url, r.status_code if r else 0, body, flow.error and flow.error.msg, messages])
print(json.dumps(flows))
`;

/** The start of minimal entries, in seconds since 1970. */
const START = Date.parse('2026-11-23T10:00:00Z') / 1000;

/** An entry with only the required fields. */
const minimal = {
  startedDateTime: '2026-11-23T10:00:00Z',
  request: { method: 'GET', url: 'http://shop.example' },
  response: { status: 200 } as Record<string, unknown>,
};

/** A HAR file with a minimal entry, and a second one with further fields. */
function harWith(fields: object, more: object = {}): string {
  return JSON.stringify({ log: { entries: [minimal, { ...minimal, ...fields }] }, ...more });
}

async function told(content: string): Promise<string> {
  const error = await readAll(fileWith(content)).then(
    () => undefined,
    (error) => error,
  );
  assert.ok(error instanceof UserError, error);
  assert.doesNotMatch(error.message, /[\p{Cc}]/u);
  return error.message.replace(folder, '');
}

/** Reads a HAR file that may have problems. */
async function readWithWarnings(content: string | Buffer): Promise<{ flows: Flow[]; warnings: string[] }> {
  const [flows, warnings]: [Flow[], string[]] = [[], []];
  for await (const { flow } of readFlows(fileWith(content), (warning) => warnings.push(warning)))
    flows.push(flow);
  return { flows, warnings };
}

describe('a minimal HAR file', () => {
  it('is read with default values', async () => {
    const [flow] = await readAll(fileWith(harWith({})));
    assert.deepEqual(
      [flow?.request?.path, flow?.request?.port, flow?.request?.content, flow?.response?.content],
      ['/', 80, Buffer.alloc(0), Buffer.alloc(0)],
    );
    const [, lonely] = await readAll(fileWith(harWith({ response: null })));
    assert.equal(lonely?.response, undefined);
  });
});

describe('a HAR file with odd entries', () => {
  const request = (fields: object) => harWith({ request: { ...minimal.request, ...fields } });
  const response = (fields: object) => harWith({ response: { ...minimal.response, ...fields } });

  const skipped: [string, string, string][] = [
    ['that is a number', '{"log": {"entries": [17]}}', 'entry 1 is left out: there is no request'],
    ['with a list as its request', harWith({ request: [] }), 'entry 2 is left out: there is no request'],
    ['with a relative URL', request({ url: '/x' }), 'entry 2 is left out: request.url is not a URL'],
    ['with an empty URL', request({ url: '' }), 'entry 2 is left out: request.url is not a URL'],
    ['without a URL', request({ url: undefined }), 'entry 2 is left out: request.url is not a URL'],
    ['without a method', request({ method: null }), 'entry 2 is left out: request.method is missing'],
  ];
  for (const [what, content, warning] of skipped)
    it(`is read without an entry ${what}, with a warning`, async () => {
      const { flows, warnings } = await readWithWarnings(content);
      assert.deepEqual(warnings, [warning]);
      assert.equal(flows.length, content.includes('[17]') ? 0 : 1);
    });

  const repaired: [string, string, (flow: Flow) => unknown, unknown, string?][] = [
    ['a status of -1', response({ status: -1 }), ({ response }) => response, undefined],
    ['a status of -999', response({ status: -999 }), ({ response }) => response, undefined],
    ['no status', response({ status: null }), ({ response }) => response, undefined],
    ['a status as text', response({ status: '204' }), ({ response }) => response?.status, 204],
    [
      'a huge status',
      response({ status: 1e300 }),
      ({ response }) => response,
      undefined,
      'entry 2: response.status is not a status',
    ],
    [
      'a text as response',
      harWith({ response: 'OK' }),
      ({ response }) => response,
      undefined,
      'entry 2: response is not an object',
    ],
    ['an error code', response({ _error: { code: 'ERR' } }), ({ error }) => error?.message, 'ERR'],
    ['an error object', response({ _error: { a: 1 } }), ({ error }) => error?.message, '{"a":1}'],
    ['headers as an object', request({ headers: {} }), ({ request }) => request?.headers, []],
    [
      'headers with a number, and without a name',
      request({ headers: [{ name: 'a', value: 7 }, { value: 'b' }, null] }),
      ({ request }) => request?.headers,
      [['a', '7']],
    ],
    ['a body as an object', request({ postData: { text: {} } }), ({ request }) => request?.method, 'GET'],
    [
      'a body as a number',
      response({ content: { text: 17 } }),
      ({ response }) => String(response?.content),
      '17',
    ],
    ['a date in ms', harWith({ startedDateTime: 1709287200000 }), ({ created }) => created, 1709287200],
    [
      'a date with an offset',
      harWith({ startedDateTime: '2024-03-01T10:00:00.000+0530' }),
      ({ created }) => created,
      1709267400,
    ],
    [
      'an empty date',
      harWith({ startedDateTime: '' }),
      ({ created }) => created,
      START,
      'entry 2: startedDateTime is not a date',
    ],
    [
      'no date',
      harWith({ startedDateTime: null }),
      ({ created }) => created,
      START,
      'entry 2: startedDateTime is not a date',
    ],
    [
      'timings as texts',
      harWith({ timings: { wait: '17' } }),
      ({ response }) => Math.round(((response?.start ?? 0) - START) * 1000),
      17,
    ],
    ['a comment as a list', harWith({ comment: ['a'] }), ({ comment }) => comment, ''],
    [
      'a WebSocket message without a type',
      harWith({ _webSocketMessages: [{}, { type: 'send', data: 'x', time: '1' }] }),
      ({ websocket }) => websocket?.messages.length,
      1,
    ],
    [
      'CONNECT to an authority',
      request({ method: 'CONNECT', url: 'db.example:443' }),
      ({ request }) => [request?.authority, request?.host, request?.port],
      ['db.example:443', 'db.example', 443],
    ],
  ];
  for (const [what, content, read, value, warning] of repaired)
    it(`is read with ${what}`, async () => {
      const { flows, warnings } = await readWithWarnings(content);
      assert.equal(flows.length, 2);
      assert.deepEqual(read(flows[1] as Flow), value);
      assert.deepEqual(warnings, warning === undefined ? [] : [warning]);
      assertSame([parseFlow(encode((flows[1] as Flow).state))], flows.slice(1));
    });

  it('is read with one warning for many problems', async () => {
    const entries = [17, minimal, { ...minimal, startedDateTime: '' }, null];
    const { flows, warnings } = await readWithWarnings(JSON.stringify({ log: { entries } }));
    assert.equal(flows.length, 2);
    assert.deepEqual(warnings, ['entry 1 is left out: there is no request, and 2 more problems']);
  });

  it('is read with the body of a form that has only params', async () => {
    const form = (mimeType: string, params: object[], headers: object[] = []) =>
      request({ method: 'POST', headers, postData: { mimeType, params } });
    const body = async (content: string) => {
      const { flows } = await readWithWarnings(content);
      return flows[1]?.request?.content?.toString();
    };
    const type = 'application/x-www-form-urlencoded';
    assert.equal(
      await body(
        form(type, [
          { name: 'user', value: 'ann' },
          { name: 'size', value: 'a b&c' },
        ]),
      ),
      'user=ann&size=a+b%26c',
    );
    const multipart = 'multipart/form-data; boundary=xx';
    const params = [
      { name: 'f"', fileName: 'a.txt', contentType: 'text/plain' },
      { name: 'k', value: 'v' },
    ];
    assert.equal(
      await body(form(multipart, params, [{ name: 'Content-Type', value: multipart }])),
      '--xx\r\nContent-Disposition: form-data; name="f%22"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n\r\n' +
        '--xx\r\nContent-Disposition: form-data; name="k"\r\n\r\nv\r\n--xx--\r\n',
    );
  });

  it('is read in UTF-16 and compressed by gzip', async () => {
    const utf16 = Buffer.from(`\ufeff${harWith({})}`, 'utf16le');
    for (const content of [utf16, Buffer.from(utf16).swap16(), gzipSync(harWith({}))])
      assert.equal((await readWithWarnings(content)).flows.length, 2);
  });
});

describe('an invalid HAR file', () => {
  const wrong: [string, string, string][] = [
    ['invalid JSON', '{"log": \u001b[31m}', 'is not a HAR file: its JSON is invalid'],
    ['truncated JSON', harWith({}).slice(0, -20), 'is not a HAR file: its JSON is cut off'],
    ['JSON truncated in a string', '{"log": "', 'is not a HAR file: its JSON is cut off'],
    ['a missing log', '{"logs": {}}', 'is not a HAR file: log is not an object'],
    ['invalid entries', '{"log": {"entries": {}}}', 'is not a HAR file: log.entries is not a list'],
  ];
  for (const [what, content, message] of wrong)
    it(`is refused for ${what} with a message of one line`, async () => {
      const said = await told(content);
      assert.ok(said.startsWith('/x.har'), said);
      assert.ok(said.includes(message), said);
    });

  it('is refused if it is too long', async () => {
    const file = fileWith('{', 'long.har');
    truncateSync(file, 256 * 1024 * 1024 + 1);
    const { code, stdout, stderr } = await flows([file]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.equal(
      stderr,
      `error: ${file} is too long for a HAR file: at most 256 MiB are read\nhint: a flow file (.mitm) may have any size\n`,
    );
  });

  it('is read as a flow file, and refused, if it does not start with {', async () => {
    for (const content of ['[1]', '  ', ' '.repeat(5000) + harWith({}), '"x"'])
      assert.match(await told(content), /^\/x\.har is not a flow file at byte 0/);
  });
});

describe('a hostile HAR file', () => {
  it('only makes a flow with clipped and escaped values', async () => {
    const har = `{"__proto__": {"log": 1}, "log": {"__proto__": [], "entries": [{
      "__proto__": {"comment": 17}, "constructor": 1, "startedDateTime": "0000-01-01T00:00:00Z", "time": 1e999,
      "timings": {"send": 1e999, "wait": -1e999, "receive": 1e308, "toString": "x"},
      "request": {"method": "GET\\r\\nX: y", "url": "http://a.example/x\\r\\ny\\u0000 z%zz/../\\ud800#f", "httpVersion": "toString",
        "headers": [{"name": "__proto__", "value": "x"}, {"name": "hasOwnProperty", "value": "\\u0000"}],
        "postData": {"text": "x", "encoding": "constructor"}},
      "response": {"status": 999, "headers": [{"name": "content-type", "value": "text/x;charset=__proto__"}],
        "content": {"text": "\\ud800 x", "size": -1e999}, "_error": "\\u001b[31m"},
      "_webSocketMessages": [{"type": "send", "time": 1e999, "opcode": 1, "data": "x"}]}]}}`;
    const [flow] = await readAll(fileWith(har));
    assert.equal(flow?.request?.path, '/x%0D%0Ay%00%20z%zz/../\ufffd');
    assert.deepEqual(flow.request.headers, [
      ['__proto__', 'x'],
      ['hasOwnProperty', '\0'],
    ]);
    assert.equal(flow.response?.headers[0]?.[1], 'text/x;charset=utf-8');
    const last = 253_402_300_799.999;
    assert.deepEqual(
      [flow.created, flow.response.end, flow.websocket?.messages[0]?.timestamp],
      [0, last, last],
    );
    assertSame([parseFlow(encode(flow.state))], [flow]);
    assert.equal(({} as { log?: unknown }).log, undefined);
  });

  it('is read after any damage to an entry, without the loss of others', async () => {
    const samples: [string, number][] = [
      [readFileSync(recording('chrome.har'), 'utf8'), 4],
      [readFileSync(recording('firefox.har'), 'utf8'), 3],
    ];
    const strange = [
      'null',
      '-1',
      '1e999',
      '""',
      '"\\u0000"',
      '"__proto__"',
      '[]',
      '{}',
      '[[]]',
      '{"name":{}}',
      'true',
    ];
    const outcome = { flows: 0, refused: 0 };
    for (const [sample, whole] of samples) {
      const values = [...sample.matchAll(/: ("(?:[^"\\]|\\.)*"|[-\d.]+|null|true|false)|"(\w+)": [[{]/g)];
      for (const [number, { index, 0: all, 1: value }] of values.entries()) {
        const other = strange[number % strange.length] ?? '';
        const [from, to] =
          value === undefined ? [all, `"${other.replace(/\W/g, '')}": ${all.at(-1)}`] : [value, other];
        const at = index + all.length - from.length;
        const damaged = sample.slice(0, at) + to + sample.slice(at + from.length);
        await usedOrRefused(damaged, whole - 1, outcome);
      }
    }
    assert.ok(outcome.flows > 1000, String(outcome.flows));
    // Damage to the log itself: there are no entries then.
    assert.ok(outcome.refused > 0 && outcome.refused <= 4, String(outcome.refused));
  });
});

/** One damaged entry must not cost the others. */
async function usedOrRefused(har: string, least: number, outcome: { flows: number; refused: number }) {
  try {
    const { flows } = await readWithWarnings(har);
    assert.ok(flows.length >= least, har);
    for (const flow of flows) assertSame([parseFlow(encode(flow.state))], [flow]);
    outcome.flows += flows.length;
  } catch (error) {
    assert.ok(error instanceof UserError, `${error}`);
    outcome.refused++;
  }
}

describe('readFlows', () => {
  const isLinux = existsSync('/proc/self/fd');
  it('closes the file when the reader stops early', { skip: !isLinux, timeout: 30_000 }, async () => {
    for (const name of ['chrome.har', '11.0.mitm'])
      for await (const _ of readFlows(recording(name), () => undefined)) break;
    while (openFiles().some((file) => file.includes('test/flows'))) await sleep(20);
  });
});

function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`);
    } catch {
      return [];
    }
  });
}
