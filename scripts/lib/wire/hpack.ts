import type { RawHeader } from './head.ts';
import { countEntry, HeaderTable } from './header-table.ts';
import { decodeHuffman, HuffmanError } from './huffman.ts';

/** A block of headers that is not coded as HPACK says. */
export class HpackError extends Error {}

/** The largest table that a sender may use: its receiver's settings say so, and servers rarely more than 64 KiB. */
const MAX_TABLE_BYTES = 1024 * 1024;
/** The most that the headers of one block may count: few bytes can refer to many. */
const MAX_LIST_BYTES = 1024 * 1024;

/** Decodes the header blocks that one side sends, in their order, https://www.rfc-editor.org/rfc/rfc7541. */
export class HpackDecoder {
  readonly #table = new HeaderTable();
  #block: Buffer = Buffer.alloc(0);
  #at = 0;

  /** How many bytes its table takes. */
  get cost(): number {
    return this.#table.size;
  }

  /** @throws HpackError for a block that is not HPACK, or whose headers are longer than 1 MiB. */
  decode(block: Buffer): RawHeader[] {
    this.#block = block;
    this.#at = 0;
    const headers: RawHeader[] = [];
    let size = 0;
    while (this.#at < block.length) {
      const header = this.#readEntry(headers.length === 0);
      if (!header) continue;
      headers.push(header);
      size += countEntry(header);
      if (size > MAX_LIST_BYTES) throw new HpackError(`more than ${MAX_LIST_BYTES} bytes of headers`);
    }
    return headers;
  }

  /** @returns undefined for what only changes the table's size. */
  #readEntry(isFirst: boolean): RawHeader | undefined {
    const first = this.#block[this.#at] as number;
    if (first & 0x80) return this.#find(this.#readInteger(7));
    if ((first & 0xe0) === 0x20) {
      const size = this.#readInteger(5);
      // https://www.rfc-editor.org/rfc/rfc7541#section-4.2
      if (!isFirst) throw new HpackError("a table's size after a header");
      if (size > MAX_TABLE_BYTES) throw new HpackError(`a table of ${size} bytes`);
      this.#table.resize(size);
      return undefined;
    }
    const isAdded = (first & 0x40) !== 0;
    const index = this.#readInteger(isAdded ? 6 : 4);
    const name = index === 0 ? this.#readString() : this.#find(index)[0];
    const header: RawHeader = [name, this.#readString()];
    if (isAdded) this.#table.add(header);
    return header;
  }

  #find(index: number): RawHeader {
    const header = this.#table.get(index);
    if (!header) throw new HpackError(`no header has the number ${index}`);
    return header;
  }

  /** An integer that begins in the last bits of a byte, https://www.rfc-editor.org/rfc/rfc7541#section-5.1. */
  #readInteger(bits: number): number {
    const most = 2 ** bits - 1;
    let value = (this.#readByte() & most) as number;
    if (value < most) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#readByte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new HpackError('an integer that is too large');
  }

  #readByte(): number {
    const byte = this.#block[this.#at++];
    if (byte === undefined) throw new HpackError('the block ends too early');
    return byte;
  }

  #readString(): Buffer {
    const isHuffman = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#readInteger(7);
    const end = this.#at + length;
    if (end > this.#block.length) throw new HpackError('a string that is longer than its block');
    const bytes = this.#block.subarray(this.#at, end);
    this.#at = end;
    return isHuffman ? decodeString(bytes) : Buffer.from(bytes);
  }
}

function decodeString(bytes: Buffer): Buffer {
  try {
    return decodeHuffman(bytes);
  } catch (error) {
    throw error instanceof HuffmanError
      ? new HpackError("a string that is not coded as Huffman's are")
      : error;
  }
}
