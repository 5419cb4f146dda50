import { isUtf8 } from 'node:buffer';
import type { Dict, Value } from './tnetstring.ts';

/** A value that is not a flow; the message says why. */
export class FlowError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

const NOT_ASCII = /[\x80-\xff]/;

/** Bytes as text: UTF-8 if they are valid UTF-8, otherwise Latin-1. */
export function decodeText(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  // Most texts are ASCII: to look at the string costs less than to ask Node.js.
  return NOT_ASCII.test(text) && isUtf8(bytes) ? bytes.toString('utf8') : text;
}

/** A dictionary whose fields are read by name and type. Each reader throws FlowError for a missing or wrong field. */
export class Fields {
  readonly #dict: Dict;
  readonly #name: string;

  /** @param name used in error messages; empty for the flow itself. */
  constructor(value: Value | undefined, name: string) {
    this.#name = name;
    if (!(value instanceof Map)) throw new FlowError(`${name || 'the flow'} is not a dictionary`);
    this.#dict = value;
  }

  /** Reads a list as a dictionary: each item gets the name at its index. */
  static fromList(value: Value, names: string[]): Fields {
    if (!Array.isArray(value)) throw new FlowError('a message is not a list');
    return new Fields(new Map(names.map((name, index) => [name, value[index] ?? null])), 'message');
  }

  #wrong(name: string, type: string): FlowError {
    return new FlowError(`${this.#name ? `${this.#name}.` : ''}${name} is not ${type}`);
  }

  /** Applies `read` to the field; undefined if the field is missing or null. */
  maybe<T>(name: string, read: (this: Fields, name: string) => T): T | undefined {
    return (this.#dict.get(name) ?? null) === null ? undefined : read.call(this, name);
  }

  text(name: string): string {
    const value = this.#dict.get(name);
    if (typeof value !== 'string') throw this.#wrong(name, 'a text');
    return value;
  }

  number(name: string): number {
    const value = this.#dict.get(name);
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.#wrong(name, 'a number');
    return value;
  }

  boolean(name: string): boolean {
    const value = this.#dict.get(name);
    if (typeof value !== 'boolean') throw this.#wrong(name, 'a boolean');
    return value;
  }

  bytes(name: string): Buffer {
    const value = this.#dict.get(name);
    if (!Buffer.isBuffer(value)) throw this.#wrong(name, 'bytes');
    return value;
  }

  bytesAsText(name: string): string {
    return decodeText(this.bytes(name));
  }

  list(name: string): Value[] {
    const value = this.#dict.get(name);
    if (!Array.isArray(value)) throw this.#wrong(name, 'a list');
    return value;
  }

  dict(name: string): Dict {
    const value = this.#dict.get(name);
    if (!(value instanceof Map)) throw this.#wrong(name, 'a dictionary');
    return value;
  }

  fields(name: string): Fields {
    return new Fields(this.dict(name), this.#name ? `${this.#name}.${name}` : name);
  }

  maybeFields(name: string): Fields | undefined {
    return this.maybe(name, this.fields);
  }

  headers(name: string): [name: string, value: string][] {
    return this.list(name).map((header) => {
      const [key, value] = Array.isArray(header) ? header : [];
      if (!Buffer.isBuffer(key) || !Buffer.isBuffer(value)) throw this.#wrong(name, 'headers');
      return [decodeText(key), decodeText(value)];
    });
  }

  /** Reads host and port. An IPv6 address has two more items, which are ignored. */
  address(name: string): [host: string, port: number] {
    const [host, port] = this.list(name);
    if (typeof host !== 'string' || typeof port !== 'number') throw this.#wrong(name, 'an address');
    return [host, port];
  }
}
