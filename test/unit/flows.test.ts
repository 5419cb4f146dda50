import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { foldPath, formatEndpoint } from '../../scripts/lib/flow/endpoint.ts';
import { Histogram } from '../../scripts/lib/flow/histogram.ts';
import { toJson } from '../../scripts/lib/formats/jsonl.ts';
import { execute, type Result } from '../execute.ts';
import { fuzz } from '../flows/fuzz.ts';
import { mitmproxyProgram } from '../flows/python.ts';
import { commandLine, mittens } from '../scripts.ts';

const OLD = fileURLToPath(new URL('../flows/8.1.mitm', import.meta.url));
const RECENT = fileURLToPath(new URL('../flows/11.0.mitm', import.meta.url));
const SCRIPT = fileURLToPath(new URL('../../scripts/flows.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'mittens-flows-'));
after(() => rmSync(folder, { recursive: true }));

async function flows(...args: string[]): Promise<Result> {
  return await mittens('flows', ...args);
}

async function lines(...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await flows(...args);
  assert.equal(code, 0, stderr);
  return stdout.split('\n').filter(Boolean);
}

describe('flows', () => {
  it('prints one line per flow', async () => {
    const [head = '', first = '', ...rest] = await lines(OLD);
    assert.match(head, /^TIME +METHOD +STATUS +LATENCY +SIZE +PATH$/);
    assert.match(first, /^\d\d:\d\d:\d\d\.\d{3} +GET +200 +[\d.]+ m?s +\d+ B +\/items$/);
    assert.equal(rest.length, 15);
    const [wide = '', upload = ''] = (await lines(OLD, '-o', 'wide', '--filter', '~u upload')) ?? [];
    assert.match(wide, /SENT +CLIENT +VERSION +ID +HOST +PATH$/);
    assert.match(upload, /POST +404 .* 4 B +127\.0\.0\.1 +HTTP\/1\.1 +[0-9a-f]{8} +shop +\/upload$/);
  });

  it('reads a flow file from stdin', async () => {
    const { stdout } = await execute('sh', [
      '-c',
      `"$@" < '${OLD}'`,
      'sh',
      ...commandLine('flows', ['-', '-o', 'jsonl', '--sort=-path']),
    ]);
    assert.equal(JSON.parse(stdout.split('\n')[0] ?? '').request.url, 'http://shop/upload');
  });

  it('sorts, filters and limits flows', async () => {
    const paths = async (...args: string[]) =>
      (await lines(OLD, '-o', 'jsonl', ...args)).map(
        (line) => new URL(JSON.parse(line).request.url).pathname,
      );
    assert.deepEqual(await paths('--sort', 'path', '--limit', '3'), ['/binary', '/br', '/broken']);
    assert.deepEqual(await paths('--sort=-status', '--filter', '~m GET', '--limit', '2'), [
      '/moved',
      '/empty',
    ]);
    assert.deepEqual(await paths('--limit', '0'), []);
  });

  it('counts flows by endpoint in a summary', async () => {
    const summary = (await lines(OLD, RECENT, '-o', 'summary')).join('\n');
    assert.match(summary, /^ENDPOINT +COUNT +STATUS +P50 +P95 +P99 +MAX +SENT +RECEIVED\n/);
    assert.match(summary, /\nPUT \/items\/\{id\} +2 +404 /);
    assert.match(summary, /\nGET \/broken +2 +error +- +- +- +- /);
    assert.match(summary, /\ntotal +32 +101 ×2 200 ×18 204 ×2 302 ×2 404 ×6 error ×2 /);
  });

  it('writes flow files that mitmproxy opens, and can write over its input', async () => {
    const out = join(folder, 'posts.mitm');
    await lines(OLD, '-w', out, '--filter', '~m POST');
    const { stdout } = await execute(mitmproxyProgram('mitmdump'), ['-n', '-r', out]);
    assert.match(stdout, /POST http:\/\/(shop|127\.0\.0\.1:\d+)\/items/);
    assert.match(stdout, /POST http:\/\/(shop|127\.0\.0\.1:\d+)\/upload/);
    assert.equal((await lines(out)).length, 3);
    // The output may be the input.
    await lines(out, '-w', out, '--filter', '~u upload');
    assert.equal((await lines(out)).length, 2);
  });

  it('masks the values of fields that --redact-name names, and no others', async () => {
    const [line = ''] = await lines(
      OLD,
      '-o',
      'jsonl',
      '--filter',
      '~m POST & ~u items',
      '--redact-name',
      'name',
    );
    assert.doesNotMatch(line, /Fäustling/);
    assert.match(line, /\\"next\\":null/);
  });

  it('prints all flows but the last of a truncated file, and a warning', async () => {
    const cut = join(folder, 'cut.mitm');
    writeFileSync(cut, readFileSync(OLD).subarray(0, -100));
    const { code, stdout, stderr } = await flows(cut, '-o', 'jsonl');
    assert.equal(code, 0);
    assert.equal(stdout.trim().split('\n').length, 15);
    assert.match(
      stderr,
      /^warning: .*cut\.mitm: the last flow is incomplete: its last \d+ bytes, from byte \d+, are left out/,
    );
  });

  describe('with a file that is damaged after 15 flows', () => {
    const damaged = join(folder, 'damaged.mitm');
    const bytes = readFileSync(OLD);
    const error = /^error: .*damaged\.mitm is not a flow file at byte \d+: a length prefix is missing/;

    before(async () => {
      const whole = join(folder, 'whole.mitm');
      await lines(OLD, '-w', whole, '--limit', '15');
      writeFileSync(damaged, Buffer.concat([readFileSync(whole), Buffer.from('damage'), bytes]));
    });

    for (const [format, count] of [
      ['table', (text) => text.trim().split('\n').length - 1],
      ['summary', (text) => Number(/total +(\d+)/.exec(text)?.[1])],
      ['jsonl', (text) => text.trim().split('\n').length],
      ['har', (text) => JSON.parse(text).log.entries.length],
      ['curl', (text) => text.trim().split('\n').length],
      ['html', (text) => (/"flows":15,.*<\/html>/s.test(text) ? 15 : 0)],
    ] as [string, (text: string) => number][])
      it(`prints these flows as ${format}, and then the error`, async () => {
        const { code, stdout, stderr } = await flows(damaged, '-o', format);
        assert.match(stderr, error);
        assert.equal(code, 1);
        assert.equal(count(stdout), 15);
      });

    it('sorts, filters and writes these flows, but not over the damaged file', async () => {
      const out = join(folder, 'salvaged.mitm');
      const salvaged = await flows(damaged, '--sort', 'path', '--filter', '~http', '-w', out);
      assert.match(salvaged.stderr, error);
      assert.equal((await lines(out, '-o', 'jsonl')).length, 15);
      const before = readFileSync(damaged);
      const { code, stderr } = await flows(damaged, '-w', `${folder}/../${basename(folder)}/damaged.mitm`);
      assert.match(stderr, error);
      assert.equal(code, 1);
      assert.deepEqual(readFileSync(damaged), before);
    });
  });

  it('stops a filter whose regular expression would take years', { timeout: 120_000 }, async () => {
    const { code, stdout, stderr } = await flows(OLD, '--filter', "~src '(.?.?.?)+(.?.?.?)+(.?.?.?)+#$'");
    assert.match(stderr, /^error: the filter ".*" takes longer than 10 s\nhint: simplify/);
    assert.equal(code, 1);
    assert.equal(stdout, '');
  });

  const refused: [string, string[], RegExp, number][] = [
    ['a command line without a file', [], /^error: flows needs an argument: FILE/, 2],
    ['a missing file', ['/nowhere.mitm'], /^error: \/nowhere\.mitm: ENOENT/, 1],
    ['a file that is not a flow file', [SCRIPT], /^error: .*flows\.ts is not a flow file at byte 0/, 1],
    ['a folder', ['/'], /^error: \/: EISDIR/, 1],
    [
      'an unknown format',
      [OLD, '-o', 'constructor'],
      /^error: there is no output format "constructor"\nhint: table, wide/,
      2,
    ],
    ['an unknown sort key', [OLD, '--sort', 'x'], /^error: flows can't be sorted by "x"/, 2],
    ['an invalid limit', [OLD, '--limit', '-1'], /^error: "-1" is not a number|^error: .*--limit/, 2],
    ['an invalid filter', [OLD, '--filter', '~m ('], /^error: /, 2],
    ['an invalid pattern', [OLD, '--redact-pattern', '('], /^error: /, 2],
    ['two outputs on stdout', [OLD, '-o', 'har', '-w', '-'], /^error: -o and -w - both/, 2],
    [
      'a file that cannot be written',
      [OLD, '-w', '/nowhere/x.mitm'],
      /^error: \/nowhere\/x\.mitm: ENOENT/,
      1,
    ],
    ['--exit-code without diff', [OLD, '--exit-code'], /^error: only flows diff has the flag --exit-code/, 2],
    ['one file to compare', ['diff', OLD], /^error: flows diff takes two flow files/, 2],
  ];
  for (const [what, args, message, exitCode] of refused) {
    it(`refuses ${what}`, async () => {
      const { code, stdout, stderr } = await flows(...args);
      assert.match(stderr, message);
      assert.equal(code, exitCode);
      assert.equal(stdout, '');
    });
  }
});

describe('flows diff', () => {
  it('finds no difference between two recordings of the same traffic', async () => {
    const { code, stdout, stderr } = await flows('diff', OLD, RECENT, '--exit-code');
    assert.deepEqual([code, stdout, stderr], [0, '', 'No differences found.\n']);
  });

  it('lists new and missing endpoints, as JSON and as a table', async () => {
    const [before, after] = [join(folder, 'before.mitm'), join(folder, 'after.mitm')];
    await lines(OLD, '-w', before, '--filter', '!~u moved');
    await lines(OLD, '-w', after, '--filter', '!~u upload');
    const { code, stdout } = await flows('diff', before, after, '--exit-code', '-o', 'json');
    assert.equal(code, 1);
    assert.deepEqual(JSON.parse(stdout), [
      { endpoint: 'POST /upload', kind: 'gone', what: '1 flow, status 404' },
      { endpoint: 'GET /moved', kind: 'new', what: '1 flow, status 302' },
    ]);
    const table = await flows('diff', before, after);
    assert.equal(table.code, 0);
    assert.match(table.stdout, /^CHANGE +ENDPOINT +WHAT\ngone +POST \/upload +1 flow, status 404\n/);
  });
});

describe('foldPath', () => {
  const folded: [string, string][] = [
    ['/orders/17?page=2', '/orders/{id}'],
    ['/orders/17/items/', '/orders/{id}/items/'],
    ['/u/8a29c5a3-0c38-4a43-b9f4-6a4d4bbf5a8e', '/u/{id}'],
    ['/blobs/deadbeefdeadbeef1', '/blobs/{id}'],
    ['/k/AbCdEf0123456789xyz', '/k/{id}'],
    ['/v1/health-check', '/v1/health-check'],
    ['/internationalization', '/internationalization'],
    ['/deadbeef', '/deadbeef'],
    ['*', '*'],
    ['', ''],
  ];
  for (const [path, endpoint] of folded)
    it(`folds ${path} into ${endpoint}`, () => assert.equal(foldPath(path), endpoint));
});

describe('Histogram', () => {
  it('gives quantiles within 1%', () => {
    const histogram = new Histogram();
    for (let value = 1; value <= 10_000; value++) histogram.add(value);
    for (const [part, value] of [
      [0.5, 5000],
      [0.95, 9500],
      [0.99, 9900],
    ] as const) {
      const error = Math.abs((histogram.quantile(part) ?? 0) / value - 1);
      assert.ok(error < 0.0101, `${part}: ${histogram.quantile(part)}`);
    }
    assert.equal(new Histogram().quantile(0.5), undefined);
  });
});

describe('a damaged flow file', () => {
  it('is read or refused without a crash or hang', async () => {
    const { files, flows, refused, truncated } = await fuzz(6000, 1, (flow) => {
      JSON.stringify(toJson(flow));
      formatEndpoint(flow);
    });
    assert.equal(files, 6000);
    assert.ok(flows > 1000 && refused > 1000 && truncated > 500);
  });
});
