import { badRequest, notDone } from '../objects/status.ts';
import { MESSAGES } from './protobuf-fields.ts';

/** Before the envelope, in whatever Kubernetes writes as protobuf. */
const MAGIC = Buffer.from('k8s\0');

/**
 * The JSON object that kubectl would have sent, of a body that it sent as protobuf: since 1.32 its typed clients do.
 * @throws NotImplemented for a kind or a field that the tables of protobuf-fields.ts do not know.
 */
export function decodeProtobuf(body: Buffer): object {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC))
    throw malformed(
      `provided data does not appear to be a protobuf message, expected prefix [${[...MAGIC].join(' ')}]`,
    );
  const unknown = decodeMessage(body.subarray(MAGIC.length), 'Unknown');
  const { typeMeta = {}, raw = '', contentEncoding, contentType } = unknown as Envelope;
  const form = contentEncoding ?? contentType;
  if (form) throw notDone(`protobuf that holds ${form}`);
  return {
    ...typeMeta,
    ...decodeMessage(Buffer.from(raw, 'base64'), typeMeta.kind ?? 'an object without a kind'),
  };
}

interface Envelope {
  typeMeta?: { apiVersion?: string; kind?: string };
  raw?: string;
  contentEncoding?: string;
  contentType?: string;
}

// -- the tables

interface Field {
  name: string;
  form: 'single' | 'list' | 'map' | 'inline';
  type: string;
  /** Whether zero is said in JSON. */
  zero: boolean;
}

const TABLES = new Map(Object.entries(MESSAGES).map(([message, text]) => [message, tableOf(text)]));

function tableOf(text: string): Map<number, Field> {
  const entries = text.split(',').filter((entry) => entry !== '');
  return new Map(
    entries.map((entry) => {
      const [number = '', name = '', ...type] = entry.trim().split(' ');
      return [Number(number), fieldOf(name, type)];
    }),
  );
}

function fieldOf(name: string, words: string[]): Field {
  const type = words.at(-1) ?? '';
  const form = name === '...' ? 'inline' : words.length === 1 ? 'single' : (words[0] as 'list' | 'map');
  const zero = /[?!]$/.test(name) || !['string', 'int', 'bool'].includes(type);
  return { name: name.replace(/[?!]$/, ''), form, type, zero };
}

// -- messages

type Message = Record<string, unknown>;

function decodeMessage(bytes: Buffer, message: string): Message {
  const table = TABLES.get(message);
  if (!table) throw notDone(`${message} as protobuf`);
  const object: Message = {};
  for (const { number, value } of read(bytes)) {
    const field = table.get(number);
    if (!field) throw notDone(`field ${number} of ${message} as protobuf`);
    put(object, field, value);
  }
  return object;
}

function put(object: Message, { name, form, type, zero }: Field, value: Value): void {
  if (form === 'inline') Object.assign(object, decodeValue(value, type));
  else if (form === 'map') putEntry(object, name, type, value);
  else if (form === 'list') {
    object[name] ??= [];
    (object[name] as unknown[]).push(decodeValue(value, type));
  } else {
    const decoded = decodeValue(value, type);
    if (zero ? decoded !== undefined : decoded) object[name] = decoded;
  }
}

/** A map's entry is a message of a key and a value. */
function putEntry(object: Message, name: string, type: string, entry: Value): void {
  const parts = [...read(bytesOf(entry))];
  const part = (wanted: number) => parts.find(({ number }) => number === wanted)?.value ?? Buffer.alloc(0);
  object[name] ??= {};
  // By its descriptor, so that a key may be __proto__.
  Object.defineProperty(object[name], bytesOf(part(1)).toString(), {
    value: decodeValue(part(2), type),
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function decodeValue(value: Value, type: string): unknown {
  if (type === 'int') return Number(value);
  if (type === 'bool') return Number(value) !== 0;
  const bytes = bytesOf(value);
  if (type === 'string') return bytes.toString();
  if (type === 'bytes') return bytes.toString('base64');
  if (type === 'quantity') return decodeMessage(bytes, 'Quantity').text ?? '0';
  if (type === 'intOrString') return intOrString(decodeMessage(bytes, 'IntOrString'));
  if (type === 'raw') return json(decodeMessage(bytes, 'Json'));
  if (type !== 'time' && type !== 'microTime') return decodeMessage(bytes, type);
  // A time that is not set is written as an empty message.
  return bytes.length === 0 ? undefined : time(decodeMessage(bytes, 'Timestamp'), type === 'time' ? 0 : 6);
}

function intOrString({ type, intVal = 0, strVal = '' }: Message): unknown {
  return type ? strVal : intVal;
}

function json({ text }: Message): unknown {
  return text === undefined ? undefined : JSON.parse(String(text));
}

/** RFC 3339, in UTC, with so many digits after the point. */
function time({ seconds = 0, nanos = 0 }: Message, digits: number): string {
  const whole = new Date(Number(seconds) * 1000).toISOString().replace(/\.\d+Z$/, '');
  const rest = String(nanos).padStart(9, '0').slice(0, digits);
  return `${whole}${rest && `.${rest}`}Z`;
}

// -- the wire format: https://protobuf.dev/programming-guides/encoding/

type Value = bigint | Buffer;

/** The fields as they stand, in order. */
function* read(bytes: Buffer): Generator<{ number: number; value: Value }> {
  let offset = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[offset++];
      if (byte === undefined) throw malformed('unexpected EOF');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
  };
  while (offset < bytes.length) {
    const tag = Number(varint());
    const [number, wireType] = [tag >> 3, tag & 7];
    if (wireType === 0) yield { number, value: varint() };
    else if (wireType === 2) {
      const end = Number(varint()) + offset;
      if (end < offset || end > bytes.length) throw malformed('unexpected EOF');
      yield { number, value: bytes.subarray(offset, end) };
      offset = end;
    } else throw notDone(`protobuf of wire type ${wireType}`);
  }
}

function bytesOf(value: Value): Buffer {
  if (typeof value === 'bigint') throw malformed('a number where bytes are due');
  return value;
}

function malformed(why: string): Error {
  return badRequest(`the object provided is unrecognized: ${why}`);
}
