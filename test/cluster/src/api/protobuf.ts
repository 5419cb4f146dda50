import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { badRequest, notImplemented } from '../objects/status.ts';

/** The prefix of all protobuf that Kubernetes writes. */
const MAGIC = Buffer.from('k8s\0');

const root = protobuf
  .parse(readFileSync(new URL('kubernetes.proto', import.meta.url), 'utf8'), {
    keepCase: true,
  })
  .root.resolveAll();

/**
 * Decodes a body that kubectl sent as protobuf, as its typed clients do since 1.32, to the object that it would have
 * sent as JSON.
 * @throws StatusError: NotImplemented for a kind or a field that kubernetes.proto lacks, BadRequest for no protobuf.
 */
export function decodeProtobuf(body: Buffer): object {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC))
    throw malformed(
      `provided data does not appear to be a protobuf message, expected prefix [${[...MAGIC].join(' ')}]`,
    );
  const {
    typeMeta,
    raw = '',
    contentEncoding,
    contentType,
  } = decode('Unknown', body.subarray(MAGIC.length)) as Envelope;
  const form = contentEncoding ?? contentType;
  if (form) throw notImplemented(`protobuf that holds ${form}`);
  const kind = typeMeta?.kind ?? 'an object without a kind';
  return { ...typeMeta, ...decode(kind, Buffer.from(raw, 'base64')) };
}

interface Envelope {
  typeMeta?: { apiVersion?: string; kind?: string };
  raw?: string;
  contentEncoding?: string;
  contentType?: string;
}

type Fields = Record<string, unknown>;

/** The JSON of one message. */
function decode(kind: string, bytes: Uint8Array): Fields {
  const type = root.get(kind);
  if (!(type instanceof protobuf.Type)) throw notImplemented(`${kind} as protobuf`);
  const message = read(type, bytes);
  // The library skips unknown fields. To lose none silently, compare the length of what it would write.
  if (type.encode(message).finish().length !== bytes.length)
    throw notImplemented(`a field that kubernetes.proto lacks, in a ${kind} as protobuf`);
  return toJson(type, message as unknown as Fields);
}

function read(type: protobuf.Type, bytes: Uint8Array): protobuf.Message {
  try {
    return type.decode(bytes);
  } catch (error) {
    throw malformed(error instanceof RangeError ? 'unexpected EOF' : (error as Error).message);
  }
}

/** Messages that are no objects in JSON. */
const FORMS: Record<string, (message: Fields) => unknown> = {
  Quantity: ({ string }) => string,
  IntOrString: ({ type, intVal, strVal }) => (String(type) === '1' ? strVal : intVal),
  // A time that is not set is sent as an empty message; the library's prototype would make 1970 of it.
  Time: (message) =>
    Object.hasOwn(message, 'seconds') ? toRfc3339(Number(String(message.seconds))) : undefined,
};

/** The fields that say something, as Go's JSON has them. */
function toJson(type: protobuf.Type, message: Fields): Fields {
  const present = type.fieldsArray.filter(({ name }) => Object.hasOwn(message, name));
  const entries = present.map((field) => [field.name, toValue(field, message[field.name])] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function toValue(field: protobuf.Field, value: unknown): unknown {
  if (field instanceof protobuf.MapField) {
    const entries = Object.entries(value as Fields).map(([key, item]) => [key, toItem(field, item)]);
    return entries.length > 0 ? Object.fromEntries(entries) : undefined;
  }
  if (Array.isArray(value)) return value.length > 0 ? value.map((item) => toItem(field, item)) : undefined;
  const item = toItem(field, value);
  // Proto3 gives a plain scalar no presence: zero says nothing.
  return item || field.hasPresence || field.resolvedType ? item : undefined;
}

function toItem({ type, resolvedType }: protobuf.Field, value: unknown): unknown {
  if (resolvedType instanceof protobuf.Type)
    return FORMS[type] ? FORMS[type](value as Fields) : toJson(resolvedType, value as Fields);
  if (type === 'bytes') return Buffer.from(value as Uint8Array).toString('base64');
  return type === 'int64' ? Number(String(value)) : value;
}

function toRfc3339(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
}

function malformed(why: string): Error {
  return badRequest(`the object provided is unrecognized: ${why}`);
}
