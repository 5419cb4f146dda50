/** A string that is not coded as RFC 7541 says. */
export class HuffmanError extends Error {}

/**
 * How many bits the code of each byte has, and last that of the end of a string. The codes follow from the lengths: they
 * count up, the shorter first, and among those of a length by their byte.
 * Source: https://www.rfc-editor.org/rfc/rfc7541#appendix-B
 */
const LENGTHS = [
  ...[13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28],
  ...[28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5],
  ...[6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
  ...[7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6],
  ...[7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23],
  ...[23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22],
  ...[22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22],
  ...[23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27],
  ...[27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25],
  ...[24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30],
];
const END = 256;

/** A tree of codes: two numbers a node, the next node after a 0 and after a 1; a byte is there as -1 - byte. */
const TREE = buildTree();

function buildTree(): Int16Array {
  const tree = new Int16Array(2 * LENGTHS.length);
  let nodes = 1;
  let code = 0;
  let bits = 0;
  for (const byte of [...LENGTHS.keys()].sort((a, b) => length(a) - length(b) || a - b)) {
    code *= 2 ** (length(byte) - bits);
    bits = length(byte);
    let node = 0;
    for (let bit = bits - 1; bit > 0; bit--) {
      const branch = 2 * node + ((code >> bit) & 1);
      if (tree[branch] === 0) tree[branch] = nodes++;
      node = tree[branch] as number;
    }
    tree[2 * node + (code & 1)] = -1 - byte;
    code++;
  }
  return tree;
}

function length(byte: number): number {
  return LENGTHS[byte] as number;
}

/** Decodes a string. @throws HuffmanError when its end is not padded as it must be. */
export function decodeHuffman(coded: Buffer): Buffer {
  // The shortest code has 5 bits.
  const plain = Buffer.allocUnsafe(Math.ceil((coded.length * 8) / 5));
  let size = 0;
  let node = 0;
  /** Bits since the last byte, and whether all were 1. */
  let bits = 0;
  let areOnes = true;
  for (const byte of coded)
    for (let shift = 7; shift >= 0; shift--) {
      const bit = (byte >> shift) & 1;
      node = TREE[2 * node + bit] as number;
      bits++;
      areOnes &&= bit === 1;
      if (node >= 0) continue;
      if (node === -1 - END) throw new HuffmanError('the end of a string within it');
      plain[size++] = -1 - node;
      node = 0;
      bits = 0;
      areOnes = true;
    }
  if (bits > 7 || !areOnes) throw new HuffmanError('a string with wrong padding');
  return Buffer.from(plain.subarray(0, size));
}
