import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { decodeBody } from '../../scripts/lib/flow/body.ts';
import type { Flow } from '../../scripts/lib/flow/flow.ts';
import { findHeader } from '../../scripts/lib/flow/headers.ts';
import { encode } from '../../scripts/lib/flow/tnetstring-encode.ts';
import { toJson } from '../../scripts/lib/formats/jsonl.ts';
import { createRedactor } from '../../scripts/lib/redact/redact.ts';
import { UsageError } from '../../scripts/lib/util/error.ts';
import { python } from '../flows/python.ts';
import { mittens } from '../scripts.ts';
import { plant } from './planted.ts';
import { http } from './report-flows.ts';

const folder = mkdtempSync(join(tmpdir(), 'mittens-redact-'));
after(() => rmSync(folder, { recursive: true }));

const redact = createRedactor({});

/** All text of a flow: as it is written, and with its bodies decoded. */
function readable(flow: Flow): string {
  const bodies = [flow.request, flow.response].map((message) =>
    message ? decodeBody(message).toString() : '',
  );
  return [encode(flow.state).toString(), JSON.stringify(toJson(flow)), ...bodies].join('\n');
}

function leaksIn(text: string, secrets: Map<string, string>): string[] {
  return [...secrets].filter(([secret]) => text.includes(secret)).map(([, where]) => where);
}

describe('createRedactor', () => {
  const { flows, secrets } = plant();

  it('masks all of 60 planted secrets', () => {
    assert.ok(secrets.size >= 60, String(secrets.size));
    const before = flows.map(readable).join('\n');
    assert.deepEqual(
      [...secrets.keys()]
        .filter((secret) => !before.includes(secret) && secret !== findPassword(flows))
        .filter((secret) => !/["\\\n]|ä/.test(secret)),
      [],
    );
    assert.deepEqual(leaksIn(flows.map(redact).map(readable).join('\n'), secrets), []);
  });

  for (const format of ['table', 'wide', 'summary', 'jsonl', 'har', 'curl', 'html', 'mitm']) {
    it(`leaves no planted secret in the format ${format}`, async () => {
      const [file, out] = [join(folder, 'planted.mitm'), join(folder, 'out.mitm')];
      writeFileSync(file, Buffer.concat(flows.map(({ state }) => encode(state))));
      const output = format === 'mitm' ? ['-w', out] : ['-o', format];
      const { code, stdout, stderr } = await mittens('flows', file, '--redact', ...output);
      assert.equal(code, 0, stderr);
      const text = format === 'mitm' ? await readByMitmproxy(out) : stdout;
      assert.ok(text.length > 500);
      assert.deepEqual(leaksIn(text, secrets), []);
    });
  }

  it('makes masks of the same length, equal for equal secrets, different for different ones', () => {
    const cookie = (value: string) =>
      redact(http({ requestHeaders: { cookie: `id=${value}` } })).request?.headers;
    const masked = (value: string) => (findHeader(cookie(value) ?? [], 'cookie') ?? '').slice(3);
    const secret = 'correct horse battery staple';
    assert.equal(masked(secret).length, secret.length);
    assert.equal(masked(secret), masked(secret));
    assert.notEqual(masked(secret), masked('correct horse battery stable'));
    assert.match(masked(secret), /^REDACTED[A-Za-z0-9]{20}$/);
    const inJson = redact(http({ requestBody: JSON.stringify({ password: secret }) })).request?.content;
    assert.equal(JSON.parse(String(inJson)).password, masked(secret));
    const other = createRedactor({})(http({ requestBody: JSON.stringify({ password: secret }) })).request
      ?.content;
    assert.notEqual(JSON.parse(String(other)).password, masked(secret));
  });

  it('keeps Content-Encoding and Content-Length true', () => {
    for (const flow of flows.map(redact)) {
      for (const message of [flow.request, flow.response]) {
        const length = message && findHeader(message.headers, 'content-length');
        if (length !== undefined) assert.equal(Number(length), message?.content?.length);
        const type = message && findHeader(message.headers, 'content-encoding');
        if (type === 'gzip' && message)
          assert.match(decodeBody(message).toString(), /^{"token":"REDACTED\w+"}$/);
      }
    }
  });

  it('does not change harmless values', () => {
    const harmless = http({
      path: '/orders/8a29c5a3-0c38-4a43-b9f4-6a4d4bbf5a8e?page=2&sort=name&token_type=x&author=me',
      requestHeaders: {
        'content-type': 'application/json',
        etag: '"33a64df551425fcc55e4d42a148795d9f25f89d4"',
      },
      requestBody: JSON.stringify({
        id: 17,
        name: 'tokenizer',
        max_tokens: 5,
        shipping: 'fast',
        pinned: true,
        a: [1, { b: 'c=d' }],
      }),
      responseHeaders: { 'content-type': 'text/html' },
      responseBody: '<p class="secretary">Your password was changed. <a href="/a?b=c">Sessions</a></p>',
      comment: 'keys: none',
    });
    assert.deepEqual(encode(redact(harmless).state), encode(harmless.state));
  });

  it('masks values of further names and patterns', () => {
    const own = createRedactor({ names: ['Customer-Number'], patterns: ['IBAN [A-Z0-9]+'] });
    const flow = own(
      http({ requestBody: JSON.stringify({ customer_number: 'C4711', text: 'IBAN DE0212 here' }) }),
    );
    const { customer_number, text } = JSON.parse(String(flow.request?.content));
    assert.notEqual(customer_number, 'C4711');
    assert.match(text, /^[A-Za-z0-9]{11} here$/);
    assert.throws(
      () => createRedactor({ patterns: ['('] }),
      (error) => error instanceof UsageError && /"\(" is not a valid regular/.test(error.message),
    );
  });

  const large = 300_000;
  const hostile: Record<string, string> = {
    quotes: '"'.repeat(large),
    'escaped quotes': '\\"'.repeat(large / 2),
    'keys without end': '{"a":'.repeat(large / 5),
    'nested lists': '['.repeat(large),
    'PEM without end': '-----BEGIN PRIVATE KEY-----'.repeat(large / 30),
    'JWT without dots': 'eyJ'.repeat(large / 3),
    'JWT of dots': 'eyJaaaaaa.'.repeat(large / 10),
    'userinfo without host': '://a:'.repeat(large / 5),
    'pairs without value': 'a='.repeat(large / 2),
    ampersands: '&'.repeat(large),
    'open elements': '<password '.repeat(large / 10),
    'parts without end': `--b\r\nname="a"\r\n`.repeat(large / 15),
    bearers: 'bearer '.repeat(large / 7),
    lines: 'a: '.repeat(large / 3),
    'many secrets': 'password=12345678&'.repeat(large / 18),
    binary: Buffer.from(Array.from({ length: large }, (_, index) => (index * 7919) % 256)).toString('latin1'),
  };
  for (const [name, text] of Object.entries(hostile)) {
    it(`does not hang on ${name}`, () => {
      const flow = redact(http({ requestBody: Buffer.from(text, 'latin1') }));
      assert.equal(flow.request?.content?.length, Buffer.from(text, 'latin1').length);
    });
  }
});

/** The password of the first flow, which is encoded in a header. */
function findPassword([flow]: Flow[]): string {
  const [, basic = ''] = (findHeader(flow?.request?.headers ?? [], 'authorization') ?? '').split(' ');
  return Buffer.from(basic, 'base64').toString().slice('user:'.length);
}

/** All text that mitmproxy reads from a flow file. */
async function readByMitmproxy(file: string): Promise<string> {
  const script = `
import sys
from mitmproxy.io import FlowReader
for f in FlowReader(open(sys.argv[1], "rb")).stream():
    print(f.get_state())
    for m in (getattr(f, "request", None), getattr(f, "response", None)):
        if m: print(getattr(m, 'raw_content', None) and m.get_content(strict=False))
`;
  return String(await python(script, file));
}
