import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Splitter } from '../../scripts/lib/flow/splitter.ts';
import { TnetstringError } from '../../scripts/lib/flow/tnetstring.ts';

const recorded = readFileSync(new URL('../flows/11.0.mitm', import.meta.url));

function split(bytes: Buffer, chunk: number): Buffer[] {
  const splitter = new Splitter();
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunk)
    pieces.push(...splitter.push(bytes.subarray(at, at + chunk)));
  return pieces;
}

describe('Splitter', () => {
  const flows = split(recorded, recorded.length);

  for (const chunk of [1, 7, 4096, recorded.length]) {
    it(`splits chunks of ${chunk} bytes into the same flows`, () => {
      const pieces = split(recorded, chunk);
      assert.ok(pieces.length > 5);
      assert.deepEqual(pieces, flows);
      assert.deepEqual(Buffer.concat(pieces), recorded);
    });
  }

  it('counts what it has given, and what has come of the next flow', () => {
    const [first, second] = flows as [Buffer, Buffer];
    const splitter = new Splitter();
    const cut = Buffer.concat([first, second.subarray(0, second.length - 1)]);
    assert.deepEqual([...splitter.push(cut)], [first]);
    assert.deepEqual([splitter.passed, splitter.holding], [first.length, second.length - 1]);
    assert.deepEqual([...splitter.push(recorded.subarray(cut.length))], flows.slice(1));
  });

  for (const hostile of ['x', ':,', '-1:,', '1234567890123:', '999999999999:', '5 :hello,']) {
    it(`refuses bytes that are not a tnetstring: ${hostile}`, () => {
      assert.throws(() => [...new Splitter().push(Buffer.from(hostile))], TnetstringError);
    });
  }
});
