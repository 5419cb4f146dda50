import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import type { Flow } from '../../scripts/lib/flow/flow.ts';
import { REPORT_LIMITS, writeReport } from '../../scripts/lib/formats/report.ts';
import { BODY_BYTES, type Content } from '../../scripts/lib/formats/report-content.ts';
import { Browser, findBrowser } from '../browser.ts';
import { dns, http, shopFlows, tcp } from './report-flows.ts';

const folder = mkdtempSync(join(tmpdir(), 'mittens-report-'));
after(() => rmSync(folder, { recursive: true }));

async function* each(flows: Iterable<Flow>): AsyncGenerator<Flow> {
  yield* flows;
}

async function renderReport(flows: Iterable<Flow>, title = 'shop/web'): Promise<string> {
  const chunks: string[] = [];
  await writeReport(each(flows), async (chunk) => void chunks.push(chunk), { title });
  return chunks.join('');
}

/** Parses the JSON lines in the elements of a class. */
function readData(html: string, name: string): Record<string, never>[] {
  const elements = html.matchAll(
    new RegExp(`<script type="application/json" class="${name}">\n(.*?)</script>`, 'gs'),
  );
  return [...elements].flatMap(([, lines = '']) =>
    lines
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  );
}

/** Texts of an attacker; each would do something if it became markup or script. */
const ATTACKS = [
  '<script>window.ran = 1; alert(1)</script>',
  '</script><script>window.ran = 2; alert(2)</script>',
  '<!--<script>',
  '--><img src=x onerror="window.ran = 3; alert(3)">',
  '"><svg onload="window.ran = 4; alert(4)">',
  'javascript:window.ran=5',
  '</style><style>* { display: none }</style><link rel=stylesheet href=https://example.org/x>',
  '<base href=https://example.org><meta http-equiv=refresh content="0;url=https://example.org">',
  "'-alert(6)-'${alert(7)}`{{alert(8)}}",
  '\u202egnp.exe\u2066\u200b\ufeff\u2028\u2029\ud800 \udc00\x00\x07\x1b[31m\x7f',
  '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
  '__proto__',
];

function* attacks(): Generator<Flow> {
  for (const [at, text] of ATTACKS.entries()) {
    for (const media of [
      'text/html',
      'image/svg+xml',
      'application/json',
      'application/x-www-form-urlencoded',
    ]) {
      yield http({
        at,
        method: text,
        host: text,
        path: `/${text}?${text}=${text}&__proto__=1`,
        requestHeaders: { [text]: text, __proto__x: text, 'content-type': media },
        responseHeaders: { 'content-type': media, location: text, link: text },
        requestBody: text,
        responseBody: text,
        reason: text,
        error: text,
        comment: text,
        websocket: [{ fromClient: true, content: text }],
      });
    }
    // A DNS name is UTF-8, which has no lone surrogates.
    yield dns(at, text.replace(/[\ud800-\udfff]/g, ''), ['10.0.0.1'], at);
    yield tcp(at, [[at % 2 === 0, Buffer.from(text)]]);
  }
}

describe('writeReport', () => {
  it('keeps hostile texts complete as data', async () => {
    const texts = ATTACKS.map((text) => Buffer.from(text).toString());
    const html = await renderReport(texts.map((text, at) => http({ at, error: text, responseBody: text })));
    const errors = readData(html, 'flows').map(({ error }) => error);
    assert.deepEqual(errors, texts);
  });

  it('writes only ASCII without HTML syntax as data', async () => {
    const html = await renderReport(attacks());
    const data = [...html.matchAll(/class="flows">\n(.*?)<\/script>\n(?=<|$)/gs)]
      .map(([, lines]) => lines)
      .join('');
    assert.ok(data.length > 10_000);
    assert.match(data, /^[\n\x20-\x7e]*$/);
    assert.doesNotMatch(data, /[<>&]/);
  });

  it('escapes its title', async () => {
    const html = await renderReport([], '</title><script>alert(1)</script>"\'&\0$&');
    assert.match(
      html,
      /<title>&#60;\/title&#62;&#60;script&#62;alert\(1\)&#60;\/script&#62;&#34;&#39;&#38;&#65533;\$&#38;<\/title>/,
    );
  });

  it('allows only its own script and style', async () => {
    const html = await renderReport([]);
    const [, policy = ''] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html) ?? [];
    const [, style = ''] = /<style>(.*?)<\/style>/s.exec(html) ?? [];
    const [, script = ''] = /<script type="module">(.*?)<\/script>/s.exec(html) ?? [];
    const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    assert.match(policy, /^default-src 'none'; /);
    assert.ok(policy.includes(`script-src ${hash(script)};`));
    assert.ok(policy.includes(`style-src ${hash(style)};`));
    assert.doesNotMatch(policy, /unsafe|\*/);
    assert.doesNotMatch(script, /\binnerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/);
    // The modules share one scope: a duplicate name would be a syntax error.
    assert.doesNotThrow(() => new vm.Script(script));
  });

  it('loads nothing', async () => {
    const html = await renderReport([]);
    const addresses = html.match(/https?:\/\/[^\s"']*/g) ?? [];
    const words = addresses.filter(
      (address) => !/^http:\/\/www\.w3\.org\/2000\/svg$|^https:\/\/www\.iana\.org\//.test(address),
    );
    assert.deepEqual(words, []);
    assert.doesNotMatch(html, /<(link|iframe|img|object|embed)\b|@import|url\(/);
  });

  it('writes flows before all have been read', async () => {
    let written = 0;
    let least = Infinity;
    async function* flows(): AsyncGenerator<Flow> {
      for (let index = 0; index < 100; index++) yield http({ responseBody: 'x'.repeat(BODY_BYTES) });
      least = written;
    }
    await writeReport(
      flows(),
      async (chunk) => {
        written += chunk.length;
      },
      { title: '' },
    );
    assert.ok(least > 90 * BODY_BYTES, `${least}`);
  });

  it('cuts long texts and bodies, and says how long they were', async () => {
    const body = 'ä'.repeat(BODY_BYTES);
    const long = 'x'.repeat(1_000_000);
    const flow = http({
      path: `/${long}`,
      responseBody: `x${body}`,
      responseHeaders: { long },
      requestBody: Buffer.alloc(100_000),
    });
    const html = await renderReport([flow]);
    const [data] = readData(html, 'flows') as unknown as [
      Record<
        'request' | 'response',
        { path: string; headers: string[][]; body: Content & { base64: string } }
      >,
    ];
    // The cut is within a character.
    assert.deepEqual(data.response.body, {
      bytes: 2 * BODY_BYTES + 1,
      text: `x${body.slice(0, BODY_BYTES / 2 - 1)}`,
      cut: true,
    });
    assert.equal(data.request.body.bytes, 100_000);
    assert.equal(Buffer.from(data.request.body.base64, 'base64').length, BODY_BYTES);
    assert.match(data.request.path, /^\/x{8191}… \(991809 more characters\)$/);
    assert.match(data.response.headers[0]?.[1] ?? '', /^x{8192}… \(/);
  });

  it('leaves out bodies, then whole flows, when it gets too long, and counts them', async () => {
    function* flows(): Generator<Flow> {
      const big = Buffer.alloc(BODY_BYTES, 0xff);
      for (let index = 0; index < 700; index++) yield http({ requestBody: big, responseBody: big });
      const headers = Object.fromEntries(['a', 'b', 'c'].map((name) => [name, name.repeat(8000)]));
      for (let index = 0; index < 700; index++) yield http({ requestHeaders: headers });
    }
    let length = 0;
    let last = '';
    await writeReport(
      each(flows()),
      async (chunk) => {
        length += chunk.length;
        last = chunk;
      },
      { title: '' },
    );
    const [end] = readData(last, 'end') as unknown as [
      { flows: number; withoutBodies: number; omitted: number },
    ];
    assert.ok(length < REPORT_LIMITS.flows * 1.01, `${length}`);
    assert.equal(end.flows, 1400);
    assert.ok(end.withoutBodies > 300 && end.withoutBodies < 500, JSON.stringify(end));
    assert.ok(end.omitted > 0 && end.omitted < 200, JSON.stringify(end));
  });
});

const program = findBrowser();
const skip = program ? false : 'no chromium, chromium-browser or google-chrome on the PATH, and no $CHROME';

describe(skip ? `the report in a browser: skipped, ${skip}` : 'the report in a browser', { skip }, () => {
  let browser: Browser;
  before(async () => {
    browser = await Browser.launch(program as string);
    const screen = { width: 1400, height: 900, deviceScaleFactor: 1, mobile: false };
    await browser.send('Emulation.setDeviceMetricsOverride', screen);
    // Records what the page must not do, in every JavaScript world.
    const source = `addEventListener('securitypolicyviolation', ({ violatedDirective: name, sourceFile }) => {
      console.error('violation of ' + name + ' by ' + sourceFile);
    });`;
    await browser.send('Page.addScriptToEvaluateOnNewDocument', { source });
  });
  after(() => browser?.close());

  async function open(flows: Iterable<Flow>, title = 'shop/web'): Promise<void> {
    const file = join(folder, 'report.html');
    writeFileSync(file, '');
    await writeReport(each(flows), async (chunk) => appendFileSync(file, chunk), { title });
    await browser.goto(pathToFileURL(file).href);
    await browser.until(`document.querySelector('#found').textContent !== 'Loading\u2026'`);
  }

  const text = (selector: string) =>
    browser.evaluate<string>(`document.querySelector('${selector}').innerText`);
  const paths = () =>
    browser.evaluate<string[]>(`[...document.querySelectorAll('.rows .path')].map((cell) => cell.innerText)`);
  const found = () => text('#found');

  async function search(query: string): Promise<void> {
    await browser.press('Escape', '/');
    await browser.evaluate(`document.querySelector('#search').select()`);
    const before = await found();
    await browser.send('Input.insertText', { text: query });
    await browser.until(`document.querySelector('#found').textContent !== ${JSON.stringify(before)}`);
  }

  /** Errors of the page, and requests that left it. */
  function misdeeds(): unknown[] {
    const requests = browser.events.filter(({ method }) => method === 'Network.requestWillBeSent');
    const urls = requests.map(({ params }) => (params.request as { url: string }).url);
    const others = browser.events.filter(({ method }) =>
      /^(Runtime\.(exceptionThrown|consoleAPICalled)|Log\.entryAdded|Page\.javascriptDialogOpening|Page\.windowOpen)$/.test(
        method,
      ),
    );
    return [...urls.filter((url) => !url.startsWith(pathToFileURL(folder).href)), ...others];
  }

  it('shows the flows and an overview', async () => {
    await open([
      http({ at: 1, path: '/orders/1', ms: 10 }),
      http({ at: 2, path: '/orders/2', ms: 20, status: 503 }),
      http({ at: 3, path: '/orders/3', ms: 30 }),
      http({ at: 4, path: '/gone', status: undefined, error: 'connection refused' }),
      dns(5, 'db.example', ['10.0.0.7']),
    ]);
    assert.equal(await found(), '5 flows');
    assert.deepEqual(await paths(), [
      '/orders/1',
      '/orders/2',
      '/orders/3',
      '/gone connection refused',
      'db.example',
    ]);
    const cards = await text('.cards');
    assert.match(cards, /Failed\s+2\s+40% of them/);
    assert.match(cards, /p50\s+10\.0 ms/);
    assert.match(cards, /p99\s+30\.0 ms/);
    assert.match(await text('.endpoints'), /GET \/orders\/\{id\}\s+3\s+1\s+20\.0 ms\s+30\.0 ms\s+30\.0 ms/);
    assert.match(await text('.statuses'), /200\s+2\s+40%/);
    const charts = await browser.evaluate<string[]>(
      `[...document.querySelectorAll('svg')].map((svg) => svg.getAttribute('aria-label'))`,
    );
    assert.deepEqual(charts, [
      '5 flows in 4.00 s, by their start and latency',
      'Latencies: p50 10.0 ms, p95 30.0 ms, p99 30.0 ms',
    ]);
    assert.deepEqual(misdeeds(), []);
  });

  it('runs no captured text, and shows it unchanged', async () => {
    // Indenting and marks make a text longer, but not without limit.
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
    const long = ['\u202e'.repeat(20_000), deep, '{"a":'.repeat(13_000), ','.repeat(65_000)];
    const bodies = long.map((body) =>
      http({ path: body, error: body, requestBody: body, responseBody: body }),
    );
    const flows = [...attacks(), ...bodies];
    await open(flows, ATTACKS.join(''));
    await browser.press('g', 'Enter');
    for (let index = 0; index < flows.length; index++) {
      await browser.press('j');
      await browser.evaluate(
        `for (const button of document.querySelectorAll('#detail button[aria-pressed]')) button.click()`,
      );
    }
    await browser.evaluate(
      `for (const button of document.querySelectorAll('#overview button')) button.click()`,
    );
    await browser.evaluate('new Promise((resolve) => setTimeout(resolve, 200))');
    assert.equal(await browser.evaluate('window.ran ?? null'), null);
    assert.equal(await browser.evaluate('({}).polluted ?? null'), null);
    const ELEMENTS = `script:not([type=module]), img, link, iframe, base, a, meta[http-equiv=refresh], form:not([method=dialog])`;
    assert.equal(await browser.evaluate(`document.querySelectorAll('${ELEMENTS}').length`), 0);
    assert.deepEqual(misdeeds(), []);
    assert.match(await text('.bar h1'), /<script>window\.ran = 1/);
  });

  it('shows invisible characters by their code', async () => {
    await open([http({ path: '/a\u202egpj.exe\u200b\x00' })]);
    assert.deepEqual(await paths(), ['/aU+202Egpj.exeU+200B\\x00']);
  });

  it('searches everything by words and fields', async () => {
    await open([
      http({ at: 0, path: '/orders/1', method: 'POST', status: 201, requestBody: '{"secret":"kettle"}' }),
      http({ at: 1, path: '/orders/2', status: 503, ms: 900, responseHeaders: { 'x-cause': 'Timeout' } }),
      http({ at: 2, path: '/health', responseBody: 'x'.repeat(5000) }),
      http({ at: 3, path: '/two words', error: 'reset' }),
      tcp(4, [[true, Buffer.from('tea time')]]),
    ]);
    const cases: [string, string[]][] = [
      ['ORDERS', ['/orders/1', '/orders/2']],
      ['orders post', ['/orders/1']],
      ['orders -post', ['/orders/2']],
      ['"two words"', ['/two words reset']],
      ['status:5xx', ['/orders/2']],
      ['status:201', ['/orders/1']],
      ['method:post', ['/orders/1']],
      ['is:failed', ['/orders/2', '/two words reset']],
      ['header:"x-cause: timeout"', ['/orders/2']],
      ['body:kettle', ['/orders/1']],
      ['body:tea', ['localhost:8080 1 message']],
      ['type:tcp', ['localhost:8080 1 message']],
      ['endpoint:"get /orders/{id}"', ['/orders/2']],
      ['ms:>500', ['/orders/2']],
      ['size:1000..6000', ['/health']],
      ['ms:<900', ['/orders/1', '/health', '/two words reset']],
      ['at:2..3.5', ['/health', '/two words reset']],
      ['status:5xx status:201', []],
    ];
    for (const [query, expected] of cases) {
      await search(query);
      assert.deepEqual(await paths(), expected, query);
    }
    assert.equal(await found(), '0 of 5 flows');
    assert.equal(await browser.evaluate(`document.querySelector('#none').hidden`), false);
    await browser.evaluate(`document.querySelector('#reset').click()`);
    assert.equal(await found(), '5 flows');
    assert.deepEqual(misdeeds(), []);
  });

  it('adds a clicked item to the search, and removes it at the next click', async () => {
    await open(
      [...Array(100).keys()].map((at) =>
        http({ at, path: `/number/${at}`, status: at < 10 ? 404 : 200, ms: 1 + at }),
      ),
    );
    const click = (selector: string) =>
      browser.evaluate(
        `document.querySelector('${selector}').dispatchEvent(new MouseEvent('click', { bubbles: true }))`,
      );
    const query = () => browser.evaluate<string>(`document.querySelector('#search').value`);
    await click('.endpoints button');
    assert.equal(await query(), 'endpoint:"GET /number/{id}"');
    await click('.statuses tr:nth-of-type(2) button');
    assert.equal(await query(), 'endpoint:"GET /number/{id}" status:404');
    assert.equal(await found(), '10 of 100 flows');
    await click('.statuses button');
    await click('.endpoints button');
    assert.equal(await found(), '100 flows');
    const bar = `[...document.querySelectorAll('figure g')].find((bar) => /: 1 flow$/.test(bar.querySelector('title')?.textContent))`;
    await browser.evaluate(`${bar}.dispatchEvent(new MouseEvent('click'))`);
    assert.match(await query(), /^ms:/);
    assert.equal(await found(), '1 of 100 flows');
    await browser.press('Escape');
    // A chart is redrawn when its width changes.
    await browser.evaluate(
      'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))',
    );
    const chart = await browser.evaluate<{ x: number; y: number; width: number }>(
      `document.querySelector('figure.wide svg').getBoundingClientRect().toJSON()`,
    );
    const mouse = (type: string, part: number) => {
      const at = {
        x: chart.x + chart.width * part,
        y: chart.y + 50,
        button: 'left',
        buttons: 1,
        clickCount: 1,
      };
      return browser.send('Input.dispatchMouseEvent', { type, ...at });
    };
    await mouse('mousePressed', 0.5);
    await mouse('mouseMoved', 0.7);
    await mouse('mouseReleased', 0.7);
    assert.match(await query(), /^at:4\d\.\d+\.\.\d+\.\d+$/);
    assert.match(await found(), /^2\d of 100 flows$/);
    assert.deepEqual(misdeeds(), []);
  });

  it('sorts by a column, and reverses the order', async () => {
    await open([
      http({ at: 1, path: '/b', ms: 5 }),
      http({ at: 2, path: '/c', ms: 50 }),
      http({ at: 3, path: '/a', ms: 20 }),
    ]);
    const sort = (name: string) =>
      browser.evaluate(`document.querySelector('.head .${name} button').click()`);
    await sort('path');
    assert.deepEqual(await paths(), ['/a', '/b', '/c']);
    await sort('path');
    assert.deepEqual(await paths(), ['/c', '/b', '/a']);
    assert.equal(
      await browser.evaluate(`document.querySelector('.head .path').getAttribute('aria-sort')`),
      'descending',
    );
    await sort('latency');
    assert.deepEqual(await paths(), ['/c', '/a', '/b']);
  });

  it('can be used with the keyboard alone', async () => {
    await open([...Array(300).keys()].map((at) => http({ at, path: `/number/${at}` })));
    const chosen = () => text('.rows [aria-selected=true] .path');
    const focus = () => browser.evaluate(`document.activeElement.id`);
    await browser.press('j', 'j', 'j', 'k');
    assert.equal(await chosen(), '/number/1');
    assert.equal(await focus(), 'grid');
    await browser.press('ArrowDown');
    assert.equal(await chosen(), '/number/2');
    const active = `document.getElementById(document.querySelector('#grid').getAttribute('aria-activedescendant')).innerText`;
    assert.match(await browser.evaluate(active), /\/number\/2/);
    await browser.press('Enter');
    assert.equal(await focus(), 'detail');
    assert.match(await text('#detail h2'), /\/number\/2$/);
    await browser.press('j');
    assert.match(await text('#detail h2'), /\/number\/3$/);
    await browser.press('Escape');
    assert.equal(await browser.evaluate(`document.querySelector('#detail').hidden`), true);
    assert.equal(await focus(), 'grid');
    await browser.press('r');
    assert.match((await paths())[0] ?? '', /^.number.299$/);
    await browser.press('r', 'G');
    assert.equal(await chosen(), '/number/299');
    const seen = `(() => { const { top, bottom } = document.querySelector('[aria-selected=true]').getBoundingClientRect(); return top > 0 && bottom <= innerHeight; })()`;
    assert.equal(await browser.evaluate(seen), true);
    await browser.press('?');
    assert.equal(await browser.evaluate(`document.querySelector('#help').open`), true);
    await browser.press('Escape', '/');
    assert.equal(await focus(), 'search');
    await browser.press('j', '2', '9');
    assert.equal(await browser.evaluate(`document.querySelector('#search').value`), 'j29');
    await browser.press('Escape', 'Escape');
    assert.equal(await focus(), 'grid');
    assert.deepEqual(misdeeds(), []);
  });

  it('shows requests, responses, and bodies indented or in hex', async () => {
    const json = '{"id":12345678901234567890,"__proto__":{"a":[]},"list":[1,{"b":null}]}';
    await open([
      http({
        path: '/q?a=1&b=%20x',
        requestHeaders: { 'content-type': 'application/x-www-form-urlencoded' },
        requestBody: 'user=me&pass=you',
        responseHeaders: { 'Content-Type': 'application/json', 'X-Twice': '1' },
        responseBody: json,
      }),
      http({ at: 1, responseBody: Buffer.from([0, 255, 65, 66]) }),
      http({ at: 2, responseBody: null }),
      http({
        at: 3,
        responseHeaders: { 'content-type': 'text/plain; charset=ISO-8859-1' },
        responseBody: Buffer.from([0x63, 0x61, 0x66, 0xe9]),
      }),
    ]);
    await browser.press('g', 'Enter');
    const detail = await text('#detail');
    assert.match(detail, /Query 2\s+a\s+1\s+b\s+x/);
    assert.match(detail, /Request form 2\s+user\s+me\s+pass\s+you/);
    assert.match(detail, /X-Twice\s+1/);
    assert.match(detail, /wait 9\.20 ms/);
    const pretty = [
      '{',
      '  "id": 12345678901234567890,',
      '  "__proto__": {',
      '    "a": []',
      '  },',
      '  "list": [',
      '    1,',
      '    {',
      '      "b": null',
      '    }',
      '  ]',
      '}',
    ];
    assert.equal(await text('pre.json'), pretty.join('\n'));
    await browser.evaluate(`document.querySelector('#detail [aria-pressed]').click()`);
    assert.equal(await text('pre.json'), json);
    await browser.press('j');
    assert.match(await text('pre.hex'), /^000000 {2}00 ff 41 42 +\.\.AB$/);
    await browser.press('j');
    assert.match(await text('#detail'), /Not recorded: it was streamed\./);
    await browser.press('j');
    assert.equal(await text('#detail pre'), 'caf\u00e9');
  });

  it('shows messages, DNS records and errors', async () => {
    await open([
      http({
        status: 101,
        websocket: [
          { fromClient: true, content: 'hello' },
          { fromClient: false, content: Buffer.from([0]), text: false },
        ],
      }),
      dns(1, 'db.example', ['10.0.0.7']),
      dns(2, 'no.example', [], 3),
      http({ at: 3, status: undefined, error: 'connection refused' }),
    ]);
    await browser.press('g', 'Enter');
    assert.match(
      await text('#detail'),
      /Messages 2\s+from client \+50\.0 ms · 5 B\s+hello\s+from server [^\n]*\s+000000 {2}00 .*\s+Closed by the client with code 1000: bye/,
    );
    await browser.press('j');
    assert.match(
      await text('#detail'),
      /Answer\s+Name\s+Type\s+TTL\s+Data\s+db\.example\s+A\s+30 s\s+10\.0\.0\.7/,
    );
    await browser.press('j');
    assert.match(await text('#detail'), /NXDOMAIN[\s\S]*No answer\./);
    await browser.press('j');
    assert.match(await text('#detail'), /Error: connection refused[\s\S]*There was no response\./);
  });

  it('shows 10,000 flows with few rows in the page, and finds one of them', async () => {
    await open([...shopFlows(9_999), http({ at: 400, path: '/needle' })]);
    assert.equal(await found(), '10,000 flows');
    assert.ok((await paths()).length < 100);
    await browser.press('G');
    assert.equal(await text('.rows [aria-selected=true] .number'), '10,000');
    await search('needle');
    assert.deepEqual(await paths(), ['/needle']);
    await browser.press('Escape');
    assert.equal(await found(), '10,000 flows');
    assert.deepEqual(misdeeds(), []);
  });

  it('says what is missing, and that the file was cut off', async () => {
    const file = join(folder, 'cut.html');
    const html = await renderReport([http({ path: '/one' }), http({ path: '/two' })]);
    writeFileSync(file, html.slice(0, html.lastIndexOf('"type":"http"') + 40));
    await browser.goto(pathToFileURL(file).href);
    await browser.until(`document.querySelector('.notice')`);
    assert.equal(await text('#notices'), 'This report is incomplete: its end is missing.');
    assert.deepEqual(await paths(), ['/one']);
    await open([]);
    assert.equal(await text('#notices'), 'There are no flows.');
    assert.deepEqual(misdeeds(), []);
  });

  it('prints all rows, not only the visible ones', async () => {
    await open([...Array(200).keys()].map((at) => http({ at, path: `/number/${at}` })));
    await browser.evaluate(
      `addEventListener('beforeprint', () => { window.printed = document.querySelectorAll('.rows .row').length; })`,
    );
    await browser.send('Page.printToPDF');
    assert.equal(await browser.evaluate('window.printed'), 200);
    assert.ok((await paths()).length < 100);
  });
});
