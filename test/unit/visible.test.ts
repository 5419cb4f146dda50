import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FORMATS, type Format } from '../../scripts/lib/formats/formats.ts';
import { formatRows } from '../../scripts/lib/util/table.ts';
import { toVisibleJson } from '../../scripts/lib/util/visible-json.ts';
import { http } from './report-flows.ts';

const HOSTILE = 'a\x1b[31m\x85\x9b31m\u202egnp\u200b\ufeff\u2028\u2066\xad\ud800\nb';
const VISIBLE_TEXT = /^[\n\x20-\x7e]*$/;

async function render(format: 'table' | 'wide' | 'summary' | 'jsonl'): Promise<string> {
  async function* flows() {
    yield http({
      path: `/${HOSTILE}`,
      method: HOSTILE,
      host: HOSTILE,
      error: HOSTILE,
      responseBody: HOSTILE,
    });
  }
  const chunks: string[] = [];
  const print: Format = FORMATS[format];
  await print(flows(), async (chunk) => void chunks.push(String(chunk)), '');
  return chunks.join('');
}

describe('formatRows', () => {
  it('escapes invisible characters in a cell', () => {
    const { lines } = formatRows([[HOSTILE]]);
    assert.equal(lines, 'a\\x1b[31m\\x85\\x9b31m\\u202egnp\\u200b\\ufeff\\u2028\\u2066\\xad\\ud800\\x0ab\n');
  });

  it('keeps visible characters of all languages', () => {
    assert.equal(formatRows([['Fäustling 茶碗 🧤 ελλ']]).lines, 'Fäustling 茶碗 🧤 ελλ\n');
  });
});

describe('toVisibleJson', () => {
  it('escapes invisible characters so that the value stays the same', () => {
    const json = toVisibleJson({ [HOSTILE]: HOSTILE });
    assert.match(json, VISIBLE_TEXT);
    assert.deepEqual(JSON.parse(json), { [HOSTILE]: HOSTILE });
  });

  it('keeps visible characters, and indents', () => {
    assert.equal(toVisibleJson(['茶碗 🧤'], 1), '[\n "茶碗 🧤"\n]');
  });
});

describe('captured text on a terminal', () => {
  for (const format of ['table', 'wide', 'summary', 'jsonl'] as const)
    it(`has no invisible characters in the format ${format}`, async () => {
      assert.match((await render(format)).replace(/[…\ufffd]/g, ''), VISIBLE_TEXT);
    });
});
