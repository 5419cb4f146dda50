import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decode, TnetstringError, type Value } from '../../scripts/lib/flow/tnetstring.ts';
import { encode, SharedDict } from '../../scripts/lib/flow/tnetstring-encode.ts';

describe('decode', () => {
  const same: [string, Value][] = [
    ['0:~', null],
    ['4:true!', true],
    ['5:false!', false],
    ['2:-7#', -7],
    ['20:18446744073709551616#', 18446744073709551616n],
    ['4:1.25^', 1.25],
    ['5:1e-07^', 1e-7],
    ['4:-inf^', Number.NEGATIVE_INFINITY],
    ['2:\xff\x00,', Buffer.from([255, 0])],
    ['2:\xc3\xa4;', 'ä'],
    ['0:]', []],
    ['10:1:1#0:]0:~]', [1, [], null]],
    [
      '15:1:a;1:b,1:c;0:}}',
      new Map<string, Value>([
        ['a', Buffer.from('b')],
        ['c', new Map()],
      ]),
    ],
  ];
  for (const [text, value] of same) {
    it(`decodes ${JSON.stringify(text)}, and its value encoded again`, () => {
      assert.deepEqual(decode(Buffer.from(text, 'latin1')), value);
      assert.deepEqual(decode(encode(value)), value);
    });
  }

  const refused: [string, RegExp, number][] = [
    ['', /cut off/, 0],
    ['12', /cut off/, 0],
    [':~', /length prefix/, 0],
    ['x:~', /length prefix/, 0],
    ['1234567890123:~', /length prefix/, 12],
    ['5:abc,', /beyond/, 0],
    ['3:abc?', /type is unknown/, 5],
    ['3:abc,0:~', /after the end/, 6],
    ['1:x~', /null/, 2],
    ['3:abc#', /integer/, 2],
    ['3:1e1#', /integer/, 2],
    ['3:0x1^', /float/, 2],
    ['3:yes!', /boolean/, 2],
    ['2:\xc3\x28;', /UTF-8/, 2],
    ['10:9:abc,1:d,]', /beyond/, 3],
    ['8:1:a,1:b,}', /key/, 2],
    ['4:1:a;}', /length prefix/, 6],
  ];
  for (const [text, message, offset] of refused) {
    it(`refuses ${JSON.stringify(text)} at byte ${offset}`, () => {
      assert.throws(
        () => decode(Buffer.from(text, 'latin1')),
        (error) => error instanceof TnetstringError && message.test(error.message) && error.offset === offset,
      );
    });
  }

  it('refuses values that are nested too deeply', () => {
    let deep: Value = null;
    for (let depth = 0; depth < 100_000; depth++) deep = depth < 40 ? [deep] : deep;
    assert.throws(() => decode(encode(deep)), /nested too deeply/);
    const bottomless = `${'9:'.repeat(50_000)}~`;
    assert.throws(() => decode(Buffer.from(bottomless)), TnetstringError);
  });
});

describe('encode', () => {
  it('writes a dictionary that is shared as any other, each time, and anew when it was changed', () => {
    const entries: [string, Value][] = [
      ['host', 'web'],
      ['ports', [80, 443]],
    ];
    const shared = new SharedDict(entries);
    const within = (dict: Value) => encode([1, dict, 'x'.repeat(1000), dict]);
    for (let times = 0; times < 2; times++)
      assert.deepEqual(within(shared), within(new Map<string, Value>(entries)));
    shared.set('host', 'shop');
    assert.deepEqual(within(shared), within(new Map<string, Value>(shared)));
  });
});
