import { isAscii, isUtf8 } from 'node:buffer';
import { type Dict, decode, TnetstringError, type Value } from './tnetstring.ts';

/**
 * A flow as mitmproxy records it. Bytes that are text in practice (methods, paths, headers) are given as text: UTF-8
 * where they are, else Latin-1, a character a byte. Times are seconds since 1970.
 * Format: mitmproxy/io/compat.py and the get_state of its flows, version 21.
 */
export interface Flow {
  type: 'http' | 'tcp' | 'udp' | 'dns';
  id: string;
  /** When it began. */
  created: number;
  /** What went wrong on the connection; a response's status is none of it. */
  error: { message: string; timestamp: number } | undefined;
  client: Connection;
  server: Connection;
  marked: string;
  comment: string;
  replayed: 'request' | 'response' | undefined;
  metadata: Dict;
  /** Of an http flow. */
  request: Request | undefined;
  response: Response | undefined;
  websocket: WebSocket | undefined;
  /** Of a tcp or udp flow: what was sent, in its order. */
  messages: Message[];
  /** Of a dns flow. */
  dns: { request: DnsMessage; response: DnsMessage | undefined } | undefined;
  /** All of it, as version 21, which is what is written; whoever changes it makes a new flow of it by flowOf. */
  state: Dict;
}

export interface Connection {
  id: string;
  /** The other end's address and port. */
  peer: [string, number] | undefined;
  /** The name and port that the server was asked for by. */
  address: [string, number] | undefined;
  tls: boolean;
  tlsVersion: string | undefined;
  sni: string | undefined;
  /** When the connection began, was there, and was encrypted. */
  start: number | undefined;
  connected: number | undefined;
  encrypted: number | undefined;
}

export type Headers = [name: string, value: string][];

interface HttpMessage {
  /** `HTTP/1.1`, `HTTP/2.0`. */
  httpVersion: string;
  headers: Headers;
  trailers: Headers | undefined;
  /** As it was sent, its content encoding included; undefined when it was streamed past the proxy. */
  content: Buffer | undefined;
  start: number;
  end: number | undefined;
}

export interface Request extends HttpMessage {
  method: string;
  scheme: string;
  /** Where the proxy sent it, and the port. */
  host: string;
  port: number;
  path: string;
  /** HTTP/2's :authority, or the target of CONNECT. */
  authority: string;
}

export interface Response extends HttpMessage {
  status: number;
  reason: string;
}

export interface Message {
  fromClient: boolean;
  content: Buffer;
  timestamp: number;
}

export interface WebSocket {
  messages: (Message & { text: boolean; dropped: boolean })[];
  closedByClient: boolean | undefined;
  closeCode: number | undefined;
  closeReason: string | undefined;
  end: number | undefined;
}

export interface DnsMessage {
  id: number;
  opCode: number;
  responseCode: number;
  questions: { name: string; type: number; class: number }[];
  answers: { name: string; type: number; class: number; ttl: number; data: Buffer }[];
  timestamp: number;
}

/** The version of the format that is written: that of mitmproxy 11 and 12. */
export const FLOW_VERSION = 21;
/** That of mitmproxy 8.1. */
const OLDEST_VERSION = 17;

/** What is no flow, in words. */
export class FlowError extends Error {}

/**
 * Reads a flow from its tnetstring; a flow of an older version is brought to the one that is written.
 * @throws FlowError for what is no flow, or one of an unknown version; TnetstringError for what is no tnetstring.
 */
export function parseFlow(buffer: Buffer): Flow {
  const state = decode(buffer);
  if (!(state instanceof Map)) throw new TnetstringError('no dictionary', 0);
  return toFlow(migrate(state));
}

/**
 * The flow that a state of version 21 describes.
 * @throws FlowError when a field is missing or of another type.
 */
export function toFlow(state: Dict): Flow {
  const flow = new Fields(state, '');
  const type = flow.text('type');
  if (type !== 'http' && type !== 'tcp' && type !== 'udp' && type !== 'dns')
    throw new FlowError(`unknown type of flow: ${type.slice(0, 20)}`);
  const error = flow.optional('error');
  const http = type === 'http';
  return {
    type,
    id: flow.text('id'),
    created: flow.number('timestamp_created'),
    error: error && { message: error.text('msg'), timestamp: error.number('timestamp') },
    client: toConnection(flow.fields('client_conn')),
    server: toConnection(flow.fields('server_conn')),
    marked: flow.text('marked'),
    comment: flow.text('comment'),
    replayed: toReplayed(flow),
    metadata: flow.dict('metadata'),
    request: http ? toRequest(flow.fields('request')) : undefined,
    response: http ? toResponse(flow.optional('response')) : undefined,
    websocket: http ? toWebSocket(flow.optional('websocket')) : undefined,
    messages: type === 'tcp' || type === 'udp' ? flow.list('messages').map(toMessage) : [],
    dns: type === 'dns' ? toDns(flow) : undefined,
    state,
  };
}

function toReplayed(flow: Fields): Flow['replayed'] {
  const value = flow.maybe('is_replay', flow.text);
  return value === 'request' || value === 'response' ? value : undefined;
}

function toConnection(connection: Fields): Connection {
  return {
    id: connection.text('id'),
    peer: connection.maybe('peername', connection.address),
    address: connection.maybe('address', connection.address),
    tls: connection.boolean('tls'),
    tlsVersion: connection.maybe('tls_version', connection.text),
    sni: connection.maybe('sni', connection.text),
    start: connection.maybe('timestamp_start', connection.number),
    connected: connection.maybe('timestamp_tcp_setup', connection.number),
    encrypted: connection.maybe('timestamp_tls_setup', connection.number),
  };
}

function toHttpMessage(message: Fields): HttpMessage {
  return {
    httpVersion: message.bytesAsText('http_version'),
    headers: message.headers('headers'),
    trailers: message.maybe('trailers', message.headers),
    content: message.maybe('content', message.bytes),
    start: message.number('timestamp_start'),
    end: message.maybe('timestamp_end', message.number),
  };
}

function toRequest(request: Fields): Request {
  return {
    ...toHttpMessage(request),
    method: request.bytesAsText('method'),
    scheme: request.bytesAsText('scheme'),
    host: request.text('host'),
    port: request.number('port'),
    path: request.bytesAsText('path'),
    authority: request.bytesAsText('authority'),
  };
}

function toResponse(response: Fields | undefined): Response | undefined {
  return (
    response && {
      ...toHttpMessage(response),
      status: response.number('status_code'),
      reason: response.bytesAsText('reason'),
    }
  );
}

function toMessage(item: Value): Message {
  const message = Fields.fromList(item, ['from_client', 'content', 'timestamp']);
  return {
    fromClient: message.boolean('from_client'),
    content: message.bytes('content'),
    timestamp: message.number('timestamp'),
  };
}

/** The opcode of a WebSocket's text messages, https://www.rfc-editor.org/rfc/rfc6455#section-5.2. */
const TEXT_OPCODE = 1;

function toWebSocket(websocket: Fields | undefined): WebSocket | undefined {
  if (!websocket) return undefined;
  const names = ['type', 'from_client', 'content', 'timestamp', 'dropped', 'injected'];
  return {
    messages: websocket.list('messages').map((item) => {
      const message = Fields.fromList(item, names);
      return {
        text: message.number('type') === TEXT_OPCODE,
        fromClient: message.boolean('from_client'),
        content: message.bytes('content'),
        timestamp: message.number('timestamp'),
        dropped: message.boolean('dropped'),
      };
    }),
    closedByClient: websocket.maybe('closed_by_client', websocket.boolean),
    closeCode: websocket.maybe('close_code', websocket.number),
    closeReason: websocket.maybe('close_reason', websocket.text),
    end: websocket.maybe('timestamp_end', websocket.number),
  };
}

function toDns(flow: Fields): Flow['dns'] {
  const response = flow.optional('response');
  return {
    request: toDnsMessage(flow.fields('request')),
    response: response && toDnsMessage(response),
  };
}

function toDnsMessage(message: Fields): DnsMessage {
  return {
    id: message.number('id'),
    opCode: message.number('op_code'),
    responseCode: message.number('response_code'),
    questions: message.list('questions').map((item) => toDnsName(new Fields(item, 'question'))),
    answers: message.list('answers').map((item) => {
      const answer = new Fields(item, 'answer');
      return { ...toDnsName(answer), ttl: answer.number('ttl'), data: answer.bytes('data') };
    }),
    timestamp: message.number('timestamp'),
  };
}

function toDnsName(record: Fields): DnsMessage['questions'][number] {
  return { name: record.text('name'), type: record.number('type'), class: record.number('class_') };
}

/** Bytes as text: UTF-8 where they are, else Latin-1. */
export function decodeText(bytes: Buffer): string {
  return bytes.toString(isAscii(bytes) || !isUtf8(bytes) ? 'latin1' : 'utf8');
}

/** A dictionary whose fields are read by name and type. */
class Fields {
  readonly #dict: Dict;
  readonly #name: string;

  constructor(value: Value | undefined, name: string) {
    this.#name = name;
    if (!(value instanceof Map)) throw new FlowError(`${name || 'the flow'} is no dictionary`);
    this.#dict = value;
  }

  /** A list whose items have names. */
  static fromList(value: Value, names: string[]): Fields {
    if (!Array.isArray(value)) throw new FlowError('a message is no list');
    return new Fields(new Map(names.map((name, index) => [name, value[index] ?? null])), 'message');
  }

  #wrong(name: string, type: string): FlowError {
    return new FlowError(`${this.#name ? `${this.#name}.` : ''}${name} is not ${type}`);
  }

  /** What `read` makes of a field that is neither missing nor null. */
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

  optional(name: string): Fields | undefined {
    return this.maybe(name, this.fields);
  }

  headers(name: string): Headers {
    return this.list(name).map((header) => {
      const [key, value] = Array.isArray(header) ? header : [];
      if (!Buffer.isBuffer(key) || !Buffer.isBuffer(value)) throw this.#wrong(name, 'headers');
      return [decodeText(key), decodeText(value)];
    });
  }

  /** An address: host and port, and for IPv6 two more. */
  address(name: string): [string, number] {
    const [host, port] = this.list(name);
    if (typeof host !== 'string' || typeof port !== 'number') throw this.#wrong(name, 'an address');
    return [host, port];
  }
}

/**
 * Brings a flow's state to version 21, in place, as mitmproxy/io/compat.py does.
 * @throws FlowError for a version that is older than mitmproxy 8.1's, or newer than is known.
 */
function migrate(state: Dict): Dict {
  const version = state.get('version');
  if (typeof version !== 'number' || !Number.isInteger(version))
    throw new FlowError('a flow without a version');
  if (version < OLDEST_VERSION || version > FLOW_VERSION) {
    const known = `${OLDEST_VERSION} to ${FLOW_VERSION} are known`;
    throw new FlowError(`flow format version ${version}: ${known}`);
  }
  for (const step of STEPS.slice(version - OLDEST_VERSION)) {
    for (const name of ['client_conn', 'server_conn']) {
      const connection = state.get(name);
      if (!(connection instanceof Map)) throw new FlowError(`${name} is no dictionary`);
      step(connection, name === 'client_conn');
    }
  }
  state.set('version', FLOW_VERSION);
  const backup = state.get('backup');
  if (backup instanceof Map) migrate(backup);
  return state;
}

type Step = (connection: Dict, isClient: boolean) => void;

/** From 17 to 18, and so on: what changed was only ever in the connections. */
const STEPS: Step[] = [
  (connection, isClient) => {
    if (isClient) connection.set('proxy_mode', 'regular');
  },
  toVersion19,
  (connection) => connection.delete('state'),
  (connection) => {
    if (connection.get('tls_version') === 'QUIC') connection.set('tls_version', 'QUICv1');
  },
];

function toVersion19(connection: Dict, isClient: boolean): void {
  if (isClient) {
    rename(connection, 'address', 'peername');
    connection.set('timestamp_start', connection.get('timestamp_start') ?? 0);
    connection.delete('tls_extensions');
  } else {
    rename(connection, 'ip_address', 'peername');
    rename(connection, 'source_address', 'sockname');
    rename(connection, 'via2', 'via');
  }
  connection.delete('tls_established');
  rename(connection, 'cipher_name', 'cipher');
  if (!connection.has('transport_protocol')) connection.set('transport_protocol', 'tcp');
  for (const name of ['peername', 'sockname', 'address']) {
    const address = connection.get(name);
    if (Array.isArray(address) && Buffer.isBuffer(address[0])) address[0] = decodeText(address[0]);
  }
  const [host] = [connection.get('address')].flat();
  if (connection.get('sni') === true) connection.set('sni', typeof host === 'string' ? host : null);
}

function rename(connection: Dict, from: string, to: string): void {
  connection.set(to, connection.get(from) ?? null);
  connection.delete(from);
}
