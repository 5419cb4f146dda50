import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HpackDecoder, HpackError } from '../../scripts/lib/wire/hpack.ts';

/** Decodes blocks one after another, as one side sends them. */
function decodeBlocks(...blocks: string[]): string[][] {
  const decoder = new HpackDecoder();
  return blocks.map((hex) =>
    decoder.decode(Buffer.from(hex.replace(/\s/g, ''), 'hex')).map(([name, value]) => `${name}: ${value}`),
  );
}

/** A block that sets the size of the table to 256 bytes, as RFC 7541 assumes for its responses. */
const TABLE_256 = '3fe101';

const REQUESTS = [
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com', 'cache-control: no-cache'],
  [
    ':method: GET',
    ':scheme: https',
    ':path: /index.html',
    ':authority: www.example.com',
    'custom-key: custom-value',
  ],
];
const [FIRST_DATE, SECOND_DATE] = ['Mon, 21 Oct 2013 20:13:21 GMT', 'Mon, 21 Oct 2013 20:13:22 GMT'];
const LOCATION = 'location: https://www.example.com';
const RESPONSES = [
  [':status: 302', 'cache-control: private', `date: ${FIRST_DATE}`, LOCATION],
  [':status: 307', 'cache-control: private', `date: ${FIRST_DATE}`, LOCATION],
  [
    ...[':status: 200', 'cache-control: private', `date: ${SECOND_DATE}`, LOCATION, 'content-encoding: gzip'],
    'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ],
];

describe('HPACK, by the examples of RFC 7541', () => {
  it('decodes headers in each form (C.2)', () => {
    assert.deepEqual(decodeBlocks('400a637573746f6d2d6b65790d637573746f6d2d686561646572'), [
      ['custom-key: custom-header'],
    ]);
    assert.deepEqual(decodeBlocks('040c2f73616d706c652f70617468'), [[':path: /sample/path']]);
    assert.deepEqual(decodeBlocks('100870617373776f726406736563726574'), [['password: secret']]);
    assert.deepEqual(decodeBlocks('82'), [[':method: GET']]);
  });

  it('decodes requests without Huffman coding (C.3)', () => {
    const blocks = [
      '828684410f7777772e6578616d706c652e636f6d',
      '828684be58086e6f2d6361636865',
      '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
    ];
    assert.deepEqual(decodeBlocks(...blocks), REQUESTS);
  });

  it('decodes requests with Huffman coding (C.4)', () => {
    const blocks = [
      '828684418cf1e3c2e5f23a6ba0ab90f4ff',
      '828684be5886a8eb10649cbf',
      '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
    ];
    assert.deepEqual(decodeBlocks(...blocks), REQUESTS);
  });

  it('decodes responses that push each other out of the table (C.5)', () => {
    const blocks = [
      `${TABLE_256}4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54
       6e1768747470733a2f2f7777772e6578616d706c652e636f6d`,
      '4803333037c1c0bf',
      `88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48
       514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31`,
    ];
    assert.deepEqual(decodeBlocks(...blocks), RESPONSES);
  });

  it('decodes such responses with Huffman coding (C.6)', () => {
    const blocks = [
      `${TABLE_256}488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8
       e9ae82ae43d3`,
      '4883640effc1c0bf',
      `88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af
       27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007`,
    ];
    assert.deepEqual(decodeBlocks(...blocks), RESPONSES);
  });
});

describe('HPACK that is damaged or hostile', () => {
  const refused = (hex: string) => assert.throws(() => decodeBlocks(hex), HpackError);

  it('is refused when it refers to a header that is not there', () => {
    refused('80');
    refused('be');
    refused('ff8001');
  });

  it('is refused when it ends within a header', () => {
    refused('40');
    refused('400a6375');
    refused('00');
  });

  it('is refused when a number is too large, or a table', () => {
    refused('ffffffffffff7f');
    refused('3fffffff7f');
  });

  it('is refused when it changes the size of the table after a header', () => {
    refused('823fe101');
    assert.deepEqual(decodeBlocks('3fe10182'), [[':method: GET']]);
  });

  it('is refused when a coded string is not padded with ones, or has the mark of its end in it', () => {
    refused('00810082ff00');
    refused('0084ffffffff00');
  });

  it('is refused when a few bytes refer to more than a MiB of headers', () => {
    const long = Buffer.concat([
      Buffer.from('4001617f', 'hex'),
      Buffer.from([0x81, 0x1e]),
      Buffer.alloc(3968, 'x'),
    ]);
    refused(Buffer.concat([long, Buffer.alloc(1000, 0xbe)]).toString('hex'));
  });
});
