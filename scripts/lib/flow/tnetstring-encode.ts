import type { Value } from './tnetstring.ts';

/** Encodes a value as a tnetstring. */
export function encode(value: Value): Buffer {
  const parts: Buffer[] = [];
  encodeInto(parts, value);
  return Buffer.concat(parts);
}

/** @returns the number of bytes added to the parts. */
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
      return addScalar(parts, Buffer.from(formatNumber(value)), Number.isSafeInteger(value) ? '#' : '^');
  }
  const prefix = parts.push(Buffer.alloc(0)) - 1;
  let length = 0;
  if (Array.isArray(value)) for (const item of value) length += encodeInto(parts, item);
  else for (const [key, item] of value) length += encodeInto(parts, key) + encodeInto(parts, item);
  parts[prefix] = Buffer.from(`${length}:`);
  parts.push(Buffer.from(Array.isArray(value) ? ']' : '}'));
  return (parts[prefix]?.length ?? 0) + length + 1;
}

/** A number as Python writes it. Python reads `1` as a float, but not `Infinity`. */
function formatNumber(value: number): string {
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
