import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JsonText } from '../../scripts/lib/har/json-text.ts';

describe('JsonText', () => {
  it('escapes a text as JSON.stringify does', () => {
    for (const text of [
      '',
      'x',
      '"\\/\n\r\t\f',
      '\x1b[1mansi\x1b[0m',
      'ä茶😀\u2028\u007f',
      `${'a"b'.repeat(5000)}`,
    ]) {
      const json = JsonText.from(Buffer.from(text));
      assert.equal(`"${json?.json}"`, JSON.stringify(text));
      assert.equal(json?.toJSON(), text);
    }
  });

  it('refuses bytes that are not text', () => {
    for (const bytes of ['ff', 'c3', 'eda080', '00', '61620b', '08', '1f'])
      assert.equal(JsonText.from(Buffer.from(bytes, 'hex')), undefined, bytes);
  });
});
