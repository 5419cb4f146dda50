import { isUtf8 } from 'node:buffer';

/**
 * What a tnetstring says, as mitmproxy's dialect has it: bytes (`,`) beside text (`;`), integers (`#`), floats (`^`),
 * booleans (`!`), null (`~`), lists (`]`) and dictionaries (`}`), each as LENGTH:DATA TAG.
 * Format: https://tnetstrings.info, and mitmproxy/io/tnetstring.py for text.
 */
export type Value = null | boolean | number | bigint | string | Buffer | Value[] | Dict;
export type Dict = Map<string, Value>;

/** Bytes that are no tnetstring; `offset` is where in the buffer they stop to be one. */
export class TnetstringError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** mitmproxy reads no longer length prefix. */
const LENGTH_DIGITS = 12;
/** A flow is nested to 5 levels, and to as many more in what it was before it was changed. */
const MAX_DEPTH = 32;

const [BYTES, TEXT, INTEGER, FLOAT, BOOLEAN, NULL, LIST, DICT, COLON] = Buffer.from(',;#^!~]}:');

/** Where a tnetstring's data are; its tag is at `end`. */
export interface Extent {
  start: number;
  end: number;
}

/**
 * Reads the length prefix at `at`.
 * @returns where the data are, as far as the prefix says; undefined when the buffer ends within the prefix.
 * @throws TnetstringError when there is no such prefix.
 */
export function findExtent(buffer: Buffer, at: number): Extent | undefined {
  let length = 0;
  for (let index = at; index < buffer.length; index++) {
    const code = buffer[index] as number;
    if (code === COLON && index > at) return { start: index + 1, end: index + 1 + length };
    if (code < 48 || code > 57 || index - at === LENGTH_DIGITS)
      throw new TnetstringError('no length prefix', index);
    length = length * 10 + code - 48;
  }
  return undefined;
}

/**
 * Reads the one tnetstring that the buffer holds. Bytes in it are views of the buffer, not copies.
 * @throws TnetstringError when it holds something else, or more.
 */
export function decode(buffer: Buffer): Value {
  const extent = extentWithin(buffer, 0, buffer.length);
  if (extent.end + 1 !== buffer.length) throw new TnetstringError('more after the end', extent.end + 1);
  return parseValue(buffer, extent, 0);
}

function extentWithin(buffer: Buffer, at: number, limit: number): Extent {
  const extent = findExtent(buffer, at);
  if (!extent) throw new TnetstringError('a length prefix is cut off', at);
  if (extent.end >= limit) throw new TnetstringError('a length goes beyond what holds it', at);
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
      throw new TnetstringError('a null with data', start);
    case LIST:
      return parseList(buffer, extent, depth);
    case DICT:
      return parseDict(buffer, extent, depth);
    default:
      throw new TnetstringError('an unknown type', end);
  }
}

function parseText(buffer: Buffer, start: number, end: number): string {
  for (let index = start; index < end; index++) {
    if ((buffer[index] as number) < 128) continue;
    const bytes = buffer.subarray(start, end);
    if (!isUtf8(bytes)) throw new TnetstringError('a text that is no UTF-8', start);
    return bytes.toString('utf8');
  }
  return buffer.toString('latin1', start, end);
}

function parseInteger(buffer: Buffer, start: number, end: number): number | bigint {
  const digits = buffer.toString('latin1', start, Math.min(end, start + 40));
  if (end - start > 39 || !/^-?\d+$/.test(digits)) throw new TnetstringError('an invalid integer', start);
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}

function parseFloating(buffer: Buffer, start: number, end: number): number {
  const digits = buffer.toString('latin1', start, Math.min(end, start + 40));
  const [, special] = /^-?(inf|nan)$/.exec(digits) ?? [];
  if (special) return special === 'nan' ? Number.NaN : digits.startsWith('-') ? -Infinity : Infinity;
  if (end - start > 39 || !/^-?\d+(\.\d+)?(e[-+]?\d+)?$/.test(digits))
    throw new TnetstringError('an invalid float', start);
  return Number(digits);
}

function parseBoolean(buffer: Buffer, start: number, end: number): boolean {
  const word = end - start <= 5 ? buffer.toString('latin1', start, end) : '';
  if (word !== 'true' && word !== 'false') throw new TnetstringError('an invalid boolean', start);
  return word === 'true';
}

function parseList(buffer: Buffer, { start, end }: Extent, depth: number): Value[] {
  if (depth === MAX_DEPTH) throw new TnetstringError('nested too deeply', start);
  const list: Value[] = [];
  for (let at = start; at < end; ) {
    const extent = extentWithin(buffer, at, end);
    list.push(parseValue(buffer, extent, depth + 1));
    at = extent.end + 1;
  }
  return list;
}

function parseDict(buffer: Buffer, { start, end }: Extent, depth: number): Dict {
  if (depth === MAX_DEPTH) throw new TnetstringError('nested too deeply', start);
  const dict: Dict = new Map();
  for (let at = start; at < end; ) {
    const key = extentWithin(buffer, at, end);
    if (buffer[key.end] !== TEXT) throw new TnetstringError('a key that is no text', at);
    const extent = extentWithin(buffer, key.end + 1, end);
    dict.set(parseKey(buffer, key), parseValue(buffer, extent, depth + 1));
    at = extent.end + 1;
  }
  return dict;
}

/** Keys that were met, by a hash: flows have the same few, and to make a string anew takes longer than to compare. */
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

/** Writes a value as a tnetstring. */
export function encode(value: Value): Buffer {
  const parts: Buffer[] = [];
  encodeInto(parts, value);
  return Buffer.concat(parts);
}

/** @returns how many bytes it added to the parts. */
function encodeInto(parts: Buffer[], value: Value): number {
  if (value === null) return add(parts, Buffer.from('0:~'));
  if (Buffer.isBuffer(value)) return addScalar(parts, value, ',');
  switch (typeof value) {
    case 'boolean':
      return add(parts, Buffer.from(value ? '4:true!' : '5:false!'));
    case 'string':
      return addScalar(parts, Buffer.from(value), ';');
    case 'bigint':
      return addScalar(parts, Buffer.from(String(value)), '#');
    case 'number':
      return addScalar(parts, Buffer.from(numeral(value)), Number.isSafeInteger(value) ? '#' : '^');
  }
  const prefix = parts.push(Buffer.alloc(0)) - 1;
  let length = 0;
  if (Array.isArray(value)) for (const item of value) length += encodeInto(parts, item);
  else for (const [key, item] of value) length += encodeInto(parts, key) + encodeInto(parts, item);
  parts[prefix] = Buffer.from(`${length}:`);
  parts.push(Buffer.from(Array.isArray(value) ? ']' : '}'));
  return (parts[prefix]?.length ?? 0) + length + 1;
}

/** As Python spells it; it reads an integer where it wants a float, but no Infinity. */
function numeral(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '0' : String(value);
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

function addScalar(parts: Buffer[], data: Buffer, tag: string): number {
  return add(parts, Buffer.from(`${data.length}:`)) + add(parts, data) + add(parts, Buffer.from(tag));
}

function add(parts: Buffer[], data: Buffer): number {
  parts.push(data);
  return data.length;
}
