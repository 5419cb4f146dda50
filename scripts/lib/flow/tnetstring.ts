import { isUtf8 } from 'node:buffer';

/**
 * The value of a tnetstring. Each is written as LENGTH:DATA TAG, with the tags of mitmproxy's dialect: bytes (`,`), text
 * (`;`), integers (`#`), floats (`^`), booleans (`!`), null (`~`), lists (`]`) and dictionaries (`}`).
 * Format: https://tnetstrings.info; mitmproxy/io/tnetstring.py adds text.
 */
export type Value = null | boolean | number | bigint | string | Buffer | Value[] | Dict;
export type Dict = Map<string, Value>;

/** Bytes that are not a tnetstring; `offset` is the first wrong byte. */
export class TnetstringError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** mitmproxy reads no more digits of a length. */
const LENGTH_DIGITS = 12;
/** A flow has 5 levels, and a changed flow 5 more in its backup. */
const MAX_DEPTH = 32;

const [BYTES, TEXT, INTEGER, FLOAT, BOOLEAN, NULL, LIST, DICT, COLON] = Buffer.from(',;#^!~]}:');

/** The position of a tnetstring's data; its tag is at `end`. */
export interface Extent {
  start: number;
  end: number;
}

/**
 * Reads the length prefix at `at`.
 * @returns the position of the data, which may be beyond the buffer; undefined if the buffer ends within the prefix.
 * @throws TnetstringError if there is no length prefix.
 */
export function findExtent(buffer: Buffer, at: number): Extent | undefined {
  let length = 0;
  for (let index = at; index < buffer.length; index++) {
    const code = buffer[index] as number;
    if (code === COLON && index > at) return { start: index + 1, end: index + 1 + length };
    if (code < 48 || code > 57 || index - at === LENGTH_DIGITS)
      throw new TnetstringError('a length prefix is missing', index);
    length = length * 10 + code - 48;
  }
  return undefined;
}

/**
 * Decodes a buffer that holds exactly one tnetstring. Bytes in the value are views of the buffer, not copies.
 * @throws TnetstringError for anything else.
 */
export function decode(buffer: Buffer): Value {
  const extent = extentWithin(buffer, 0, buffer.length);
  if (extent.end + 1 !== buffer.length)
    throw new TnetstringError('there is data after the end', extent.end + 1);
  return parseValue(buffer, extent, 0);
}

function extentWithin(buffer: Buffer, at: number, limit: number): Extent {
  const extent = findExtent(buffer, at);
  if (!extent) throw new TnetstringError('a length prefix is cut off', at);
  if (extent.end >= limit) throw new TnetstringError('a length is beyond its container', at);
  return extent;
}

function parseValue(buffer: Buffer, extent: Extent, depth: number): Value {
  const { start, end } = extent;
  switch (buffer[end]) {
    case BYTES:
      return buffer.subarray(start, end);
    case TEXT:
      return parseText(buffer, start, end);
    case INTEGER:
      return parseInteger(buffer, start, end);
    case FLOAT:
      return parseFloating(buffer, start, end);
    case BOOLEAN:
      return parseBoolean(buffer, start, end);
    case NULL:
      if (start === end) return null;
      throw new TnetstringError('a null has data', start);
    case LIST:
      return parseList(buffer, extent, depth);
    case DICT:
      return parseDict(buffer, extent, depth);
    default:
      throw new TnetstringError('a type is unknown', end);
  }
}

function parseText(buffer: Buffer, start: number, end: number): string {
  for (let index = start; index < end; index++) {
    if ((buffer[index] as number) < 128) continue;
    const bytes = buffer.subarray(start, end);
    if (!isUtf8(bytes)) throw new TnetstringError('a text is not UTF-8', start);
    return bytes.toString('utf8');
  }
  return buffer.toString('latin1', start, end);
}

function parseInteger(buffer: Buffer, start: number, end: number): number | bigint {
  const digits = buffer.toString('latin1', start, Math.min(end, start + 40));
  if (end - start > 39 || !/^-?\d+$/.test(digits)) throw new TnetstringError('an integer is invalid', start);
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}

function parseFloating(buffer: Buffer, start: number, end: number): number {
  const digits = buffer.toString('latin1', start, Math.min(end, start + 40));
  const [, special] = /^-?(inf|nan)$/.exec(digits) ?? [];
  if (special) return special === 'nan' ? Number.NaN : digits.startsWith('-') ? -Infinity : Infinity;
  if (end - start > 39 || !/^-?\d+(\.\d+)?(e[-+]?\d+)?$/.test(digits))
    throw new TnetstringError('a float is invalid', start);
  return Number(digits);
}

function parseBoolean(buffer: Buffer, start: number, end: number): boolean {
  const word = end - start <= 5 ? buffer.toString('latin1', start, end) : '';
  if (word !== 'true' && word !== 'false') throw new TnetstringError('a boolean is invalid', start);
  return word === 'true';
}

function parseList(buffer: Buffer, { start, end }: Extent, depth: number): Value[] {
  if (depth === MAX_DEPTH) throw new TnetstringError('it is nested too deeply', start);
  const list: Value[] = [];
  for (let at = start; at < end; ) {
    const extent = extentWithin(buffer, at, end);
    list.push(parseValue(buffer, extent, depth + 1));
    at = extent.end + 1;
  }
  return list;
}

function parseDict(buffer: Buffer, { start, end }: Extent, depth: number): Dict {
  if (depth === MAX_DEPTH) throw new TnetstringError('it is nested too deeply', start);
  const dict: Dict = new Map();
  for (let at = start; at < end; ) {
    const key = extentWithin(buffer, at, end);
    if (buffer[key.end] !== TEXT) throw new TnetstringError('a key is not text', at);
    const extent = extentWithin(buffer, key.end + 1, end);
    dict.set(parseKey(buffer, key), parseValue(buffer, extent, depth + 1));
    at = extent.end + 1;
  }
  return dict;
}

/** Known keys by hash. Flows have the same few keys, and comparing bytes is faster than making a new string. */
const KEYS = new Map<number, { bytes: Buffer; text: string }>();
const MAX_KEYS = 500;

function parseKey(buffer: Buffer, { start, end }: Extent): string {
  const middle = (start + end) >> 1;
  const hash = ((buffer[start] as number) << 16) ^ ((buffer[middle] as number) << 8) ^ (end - start);
  const known = KEYS.get(hash);
  if (known && isAt(buffer, start, end, known.bytes)) return known.text;
  const text = parseText(buffer, start, end);
  if (KEYS.size < MAX_KEYS) KEYS.set(hash, { bytes: Buffer.from(text), text });
  return text;
}

function isAt(buffer: Buffer, start: number, end: number, bytes: Buffer): boolean {
  if (bytes.length !== end - start) return false;
  for (let index = 0; index < bytes.length; index++) if (buffer[start + index] !== bytes[index]) return false;
  return true;
}
