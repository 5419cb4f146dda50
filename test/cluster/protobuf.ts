import { MESSAGES } from './protobuf-fields.ts';
import { notDone } from './status.ts';

/** Before the envelope, in whatever Kubernetes writes as protobuf. */
const MAGIC = Buffer.from('k8s\0');

/**
 * A request's body as the JSON that kubectl would have sent. kubectl 1.32 and later send some objects as protobuf: a
 * runtime.Unknown (1: apiVersion and kind, 2: the object) of k8s.io/apimachinery/pkg/runtime/generated.proto.
 */
export function decodeProtobuf(body: Buffer): object {
  if (!body.subarray(0, 4).equals(MAGIC)) throw notDone('protobuf without the envelope of Kubernetes');
  let type: Record<string, unknown> = {};
  let raw: Buffer = Buffer.alloc(0);
  for (const { number, value } of fieldsOf(body.subarray(4))) {
    if (number === 1) type = plain(value as Buffer, { 1: 'apiVersion string', 2: 'kind string' }, 'TypeMeta');
    if (number === 2) raw = value as Buffer;
  }
  return { ...type, ...messageOf(raw, String(type.kind)) };
}

function messageOf(bytes: Buffer, message: string): Record<string, unknown> {
  const fields = MESSAGES[message];
  if (!fields) throw notDone(`${message} as protobuf`);
  return plain(bytes, fields, message);
}

function plain(bytes: Buffer, fields: Record<number, string>, message: string): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const { number, value } of fieldsOf(bytes)) {
    const [name, ...type] = (fields[number] ?? '').split(' ');
    if (name) put(object, name, type, value);
    // What is empty is written too, but says nothing.
    else if (!isZero(value)) throw notDone(`field ${number} of ${message} as protobuf`);
  }
  return object;
}

/** Fields whose zero says something: in Go they are pointers, which are written only when they are set. */
const POINTERS = [
  ...['replicas', 'revisionHistoryLimit', 'gracePeriodSeconds', 'orphanDependents', 'optional', 'immutable'],
  ...['runAsUser', 'runAsGroup', 'runAsNonRoot', 'allowPrivilegeEscalation', 'privileged', 'partition'],
  ...['automountServiceAccountToken', 'enableServiceLinks', 'terminationGracePeriodSeconds'],
];

function put(object: Record<string, unknown>, name: string, type: string[], value: Value): void {
  const [kind = '', inner = ''] = type;
  if (kind === 'skip') return;
  if (kind === 'list') {
    object[name] ??= [];
    (object[name] as unknown[]).push(decodeValue(value, inner));
  } else if (kind === 'map') {
    object[name] ??= {};
    const entry = plain(value as Buffer, { 1: 'key string', 2: `value ${inner}` }, name);
    (object[name] as Record<string, unknown>)[String(entry.key ?? '')] =
      entry.value ?? (inner === 'string' ? '' : undefined);
  } else if (!isZero(value) || POINTERS.includes(name) || isMessage(kind)) {
    const decoded = decodeValue(value, kind);
    if (decoded !== undefined) object[name] = decoded;
  }
}

function isMessage(kind: string): boolean {
  return kind in MESSAGES || kind === 'intOrString';
}

function decodeValue(value: Value, type: string): unknown {
  if (type === 'int') return Number(value);
  if (type === 'bool') return Number(value) === 1;
  const bytes = value as Buffer;
  if (type === 'string') return bytes.toString();
  if (type === 'bytes') return bytes.toString('base64');
  if (type === 'quantity') return plain(bytes, { 1: 'text string' }, type).text;
  if (type === 'time') return timeOf(bytes);
  if (type !== 'intOrString') return messageOf(bytes, type);
  const {
    isText,
    number = 0,
    text = '',
  } = plain(bytes, { 1: 'isText int', 2: 'number int', 3: 'text string' }, type);
  return isText ? text : number;
}

function timeOf(bytes: Buffer): string | undefined {
  const { seconds } = plain(bytes, { 1: 'seconds int', 2: 'nanos int' }, 'Time');
  return seconds === undefined ? undefined : new Date(Number(seconds) * 1000).toISOString();
}

// -- the wire format: https://protobuf.dev/programming-guides/encoding/

type Value = bigint | Buffer;

function isZero(value: Value): boolean {
  return typeof value === 'bigint' ? value === 0n : value.length === 0;
}

function* fieldsOf(bytes: Buffer): Generator<{ number: number; value: Value }> {
  let offset = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[offset++];
      if (byte === undefined) throw notDone('protobuf that is cut off');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
  };
  while (offset < bytes.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    if (wire === 0) yield { number: tag >> 3, value: varint() };
    else if (wire === 2) {
      const length = Number(varint());
      yield { number: tag >> 3, value: bytes.subarray(offset, offset + length) };
      offset += length;
    } else throw notDone(`protobuf of wire type ${wire}`);
  }
}
