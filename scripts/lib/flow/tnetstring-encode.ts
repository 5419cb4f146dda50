import type { Dict, Value } from './tnetstring.ts';

/** The memory that is kept for the next value, in bytes: most flows fit. */
const KEPT_BYTES = 256 * 1024;
/** Up to so many characters are written one by one: a call of Node.js takes longer. */
const SHORT = 24;
/** More keys are not remembered: a hostile flow may have any. */
const MAX_KEYS = 200;

/** A dictionary that many values share, with nothing in it that changes: once it was encoded, its bytes are kept. */
export class SharedDict extends Map<string, Value> {
  encoded: Buffer | undefined;

  override set(key: string, value: Value): this {
    this.encoded = undefined;
    return super.set(key, value);
  }
}

/** Writes from the end to the start: a length precedes what it counts, so it is known when it is to be written. */
class Encoder {
  #store = Buffer.allocUnsafe(KEPT_BYTES);
  readonly #keys = new Map<string, Buffer>();
  /** Where the bytes start that were written. */
  #at = 0;

  encode(value: Value): Buffer {
    this.#at = this.#store.length;
    this.#write(value);
    const encoded = Buffer.from(this.#store.subarray(this.#at));
    if (this.#store.length > KEPT_BYTES) this.#store = Buffer.allocUnsafe(KEPT_BYTES);
    return encoded;
  }

  #write(value: Value): void {
    if (value === null) this.#writeText('', '~');
    else if (typeof value === 'string') this.#writeText(value, ';');
    else if (Buffer.isBuffer(value)) this.#writeBytes(value);
    else if (typeof value === 'number')
      this.#writeText(formatNumber(value), Number.isSafeInteger(value) ? '#' : '^');
    else if (typeof value === 'bigint') this.#writeText(String(value), '#');
    else if (typeof value === 'boolean') this.#writeText(String(value), '!');
    else if (Array.isArray(value)) this.#writeList(value);
    else if (value instanceof SharedDict) this.#writeShared(value);
    else this.#writeDict(value);
  }

  #writeShared(dict: SharedDict): void {
    if (dict.encoded) {
      this.#reserve(dict.encoded.length);
      this.#at -= dict.encoded.length;
      dict.encoded.copy(this.#store, this.#at);
      return;
    }
    const end = this.#store.length - this.#at;
    this.#writeDict(dict);
    dict.encoded = Buffer.from(this.#store.subarray(this.#at, this.#store.length - end));
  }

  #writeText(text: string, tag: string): void {
    const isShort = text.length <= SHORT && isAscii(text);
    const length = isShort ? text.length : Buffer.byteLength(text);
    this.#reserve(length + 1);
    this.#writeAscii(tag);
    if (isShort) this.#writeAscii(text);
    else {
      this.#at -= length;
      this.#store.write(text, this.#at);
    }
    this.#writeLength(length);
  }

  #writeBytes(bytes: Buffer): void {
    this.#reserve(bytes.length + 1);
    this.#writeAscii(',');
    this.#at -= bytes.length;
    if (bytes.length > SHORT) bytes.copy(this.#store, this.#at);
    else
      for (let index = 0; index < bytes.length; index++)
        this.#store[this.#at + index] = bytes[index] as number;
    this.#writeLength(bytes.length);
  }

  #writeList(list: Value[]): void {
    const length = this.#measure(']', () => {
      for (let index = list.length - 1; index >= 0; index--) this.#write(list[index] as Value);
    });
    this.#writeLength(length);
  }

  #writeDict(dict: Dict): void {
    const length = this.#measure('}', () => {
      for (const [key, value] of [...dict].reverse()) {
        this.#write(value);
        this.#writeKey(key);
      }
    });
    this.#writeLength(length);
  }

  /** The keys of flows are few, and each is written as it was before. */
  #writeKey(key: string): void {
    const known = this.#keys.get(key);
    if (known) {
      this.#reserve(known.length);
      this.#at -= known.length;
      for (let index = 0; index < known.length; index++)
        this.#store[this.#at + index] = known[index] as number;
      return;
    }
    const end = this.#store.length - this.#at;
    this.#writeText(key, ';');
    if (this.#keys.size < MAX_KEYS && key.length <= SHORT)
      this.#keys.set(key, Buffer.from(this.#store.subarray(this.#at, this.#store.length - end)));
  }

  /** Writes a tag and what precedes it. @returns how many bytes precede it. */
  #measure(tag: string, write: () => void): number {
    this.#reserve(1);
    this.#writeAscii(tag);
    // Counted from the end, which stays where it is when the store grows.
    const end = this.#store.length - this.#at;
    write();
    return this.#store.length - this.#at - end;
  }

  #writeLength(length: number): void {
    const prefix = `${length}:`;
    this.#reserve(prefix.length);
    this.#writeAscii(prefix);
  }

  #writeAscii(text: string): void {
    this.#at -= text.length;
    for (let index = 0; index < text.length; index++) this.#store[this.#at + index] = text.charCodeAt(index);
  }

  /** Makes room for so many bytes before those that were written. */
  #reserve(bytes: number): void {
    if (bytes <= this.#at) return;
    const written = this.#store.subarray(this.#at);
    this.#store = Buffer.allocUnsafe(2 * (written.length + bytes));
    this.#at = this.#store.length - written.length;
    written.copy(this.#store, this.#at);
  }
}

const ENCODER = new Encoder();

/** Encodes a value as a tnetstring. */
export function encode(value: Value): Buffer {
  return ENCODER.encode(value);
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) return false;
  return true;
}

/** A number as Python writes it. Python reads `1` as a float, but not `Infinity`. */
function formatNumber(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '0' : String(value);
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}
