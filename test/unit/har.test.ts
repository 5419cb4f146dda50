import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Flow } from '../../scripts/lib/flow/flow.ts';
import { readFlows } from '../../scripts/lib/formats/read.ts';
import { writeHar } from '../../scripts/lib/har/export.ts';
import { toHarEntry } from '../../scripts/lib/har/export-entry.ts';
import { execute } from '../execute.ts';
import { mitmproxyProgram } from '../flows/python.ts';
import { http, shopFlows } from './report-flows.ts';

const folder = mkdtempSync(join(tmpdir(), 'mittens-har-'));
after(() => rmSync(folder, { recursive: true }));

async function* each(flows: Iterable<Flow>): AsyncGenerator<Flow> {
  yield* flows;
}

async function toHar(flows: Iterable<Flow>): Promise<string> {
  const pieces: Buffer[] = [];
  await writeHar(each(flows), async (piece) => {
    pieces.push(Buffer.from(piece));
  });
  return Buffer.concat(pieces).toString();
}

async function recorded(): Promise<Flow[]> {
  const flows: Flow[] = [];
  const file = new URL('../flows/11.0.mitm', import.meta.url).pathname;
  for await (const { flow } of readFlows(file, () => assert.fail('truncated'))) flows.push(flow);
  return flows;
}

describe('writeHar', () => {
  it('writes a file that is valid by the schema of HAR 1.2', async () => {
    const require = createRequire(import.meta.url);
    const Ajv = require('ajv');
    const schemas = Object.values(require('har-schema')) as object[];
    const ajv = new Ajv({ allErrors: true, strict: false });
    require('ajv-formats')(ajv);
    ajv.addMetaSchema(require('ajv/dist/refs/json-schema-draft-06.json'));
    ajv.addSchema(schemas);
    const flows = [...(await recorded()), ...shopFlows(300)];
    const har = JSON.parse(await toHar(flows));
    assert.ok(ajv.validate('har.json#', har), JSON.stringify(ajv.errors));
    assert.ok(har.log.entries.length > 200);
    assert.equal(har.log.entries.length, flows.filter(({ type }) => type === 'http').length);
  });

  it('writes the same JSON as JSON.stringify for texts of any length', async () => {
    const controls = Array.from({ length: 0x60 }, (_, code) => String.fromCharCode(code)).join('');
    const texts = [
      '',
      'x',
      'x'.repeat(511),
      '"\\/\n\t'.repeat(200),
      `${controls}ä茶😀`.repeat(20),
      '\u2028'.repeat(600),
    ];
    const flows = texts.map((responseBody) => http({ responseBody, path: '/%22?a="b"' }));
    const { entries } = JSON.parse(await toHar(flows)).log;
    assert.deepEqual(entries, JSON.parse(JSON.stringify(flows.map(toHarEntry))));
  });

  it('writes WebSocket messages as Chrome does', async () => {
    const socket = JSON.parse(await toHar(await recorded())).log.entries.at(-1);
    assert.equal(socket._resourceType, 'websocket');
    const messages = socket._webSocketMessages.map(({ type, opcode, data }: Record<string, unknown>) => [
      type,
      opcode,
      data,
    ]);
    assert.deepEqual(messages, [
      ['send', 1, 'hello'],
      ['receive', 1, 'hello'],
      ['send', 2, 'AAH/'],
      ['receive', 2, 'AAH/'],
    ]);
  });

  it('writes a file that mitmproxy can read', async () => {
    const file = join(folder, 'x.har');
    writeFileSync(file, await toHar(await recorded()));
    const { stdout } = await execute(mitmproxyProgram('mitmdump'), ['-n', '-q', '-r', file, '-s', sayer()]);
    const said = stdout.trim().split('\n');
    assert.ok(
      said.includes('GET http://shop/gzip 200 {"items":[{"id":1,"name":"Fäustling"}],"next":null}'),
      stdout,
    );
    assert.ok(said.includes('DELETE http://shop/items/17 404 no such thing'), stdout);
    assert.ok(readFileSync(file, 'utf8').includes('"encoding":"base64"'));
  });
});

/** An addon that prints what mitmproxy has read. */
function sayer(): string {
  const file = join(folder, 'sayer.py');
  writeFileSync(
    file,
    'def response(flow):\n    r = flow.response\n    print(flow.request.method, flow.request.pretty_url, r.status_code, (r.get_text(strict=False) or "").strip())\n',
  );
  return file;
}
