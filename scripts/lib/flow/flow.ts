import { type Connection, toConnection } from './connection.ts';
import { type DnsMessage, toDnsMessage } from './dns-message.ts';
import { Fields, FlowError } from './fields.ts';
import { type Request, type Response, toRequest, toResponse } from './http-message.ts';
import { type Message, toMessage, toWebSocket, type WebSocket } from './message.ts';
import { findOldVersion, migrate } from './migrate.ts';
import { type Dict, decode, TnetstringError, type Value } from './tnetstring.ts';

/**
 * A flow as mitmproxy records it. Methods, paths and headers are bytes in the file and text here: UTF-8 if they are valid
 * UTF-8, otherwise Latin-1. Times are seconds since 1970.
 * Format: mitmproxy/io/compat.py and get_state of mitmproxy's flows, version 21.
 */
export interface Flow {
  type: 'http' | 'tcp' | 'udp' | 'dns';
  id: string;
  /** When it began. */
  created: number;
  /** A failure of the connection. A response with an error status is not one. */
  error: { message: string; timestamp: number } | undefined;
  client: Connection;
  server: Connection;
  marked: string;
  comment: string;
  replayed: 'request' | 'response' | undefined;
  metadata: Dict;
  /** Only http flows have one. */
  request: Request | undefined;
  response: Response | undefined;
  websocket: WebSocket | undefined;
  /** The messages of a tcp or udp flow, in order. */
  messages: Message[];
  /** Only dns flows have one. */
  dns: { request: DnsMessage; response: DnsMessage | undefined } | undefined;
  /** The whole flow in version 21, as it is written. To change a flow, change a copy of this and call toFlow. */
  state: Dict;
}

/**
 * Reads a flow from its tnetstring. A flow of an older version is brought to version 21.
 * @throws FlowError for a value that is not a flow, or a flow of an unsupported version; TnetstringError for bytes that
 * are not a tnetstring.
 */
export function parseFlow(buffer: Buffer): Flow {
  return toFlow(migrate(decodeState(buffer)));
}

function decodeState(buffer: Buffer): Dict {
  let state: Value;
  try {
    state = decode(buffer);
  } catch (error) {
    throw findOldVersion(buffer) ?? error;
  }
  if (!(state instanceof Map)) throw new TnetstringError('not a dictionary', 0);
  return state;
}

/**
 * Reads a flow from its state in version 21.
 * @throws FlowError if a field is missing or has another type.
 */
export function toFlow(state: Dict): Flow {
  const flow = new Fields(state, '');
  const type = readType(flow);
  const error = flow.maybeFields('error');
  return {
    type,
    id: flow.text('id'),
    created: flow.number('timestamp_created'),
    error: error && { message: error.text('msg'), timestamp: error.number('timestamp') },
    client: toConnection(flow.fields('client_conn')),
    server: toConnection(flow.fields('server_conn')),
    marked: flow.text('marked'),
    comment: flow.text('comment'),
    replayed: readReplayed(flow),
    metadata: flow.dict('metadata'),
    ...readHttp(type === 'http' ? flow : undefined),
    messages: type === 'tcp' || type === 'udp' ? flow.list('messages').map(toMessage) : [],
    dns: type === 'dns' ? readDns(flow) : undefined,
    state,
  };
}

function readType(flow: Fields): Flow['type'] {
  const type = flow.text('type');
  if (type === 'http' || type === 'tcp' || type === 'udp' || type === 'dns') return type;
  throw new FlowError(`unknown flow type: ${type.slice(0, 20)}`);
}

function readReplayed(flow: Fields): Flow['replayed'] {
  const value = flow.maybe('is_replay', flow.text);
  return value === 'request' || value === 'response' ? value : undefined;
}

function readHttp(flow: Fields | undefined): Pick<Flow, 'request' | 'response' | 'websocket'> {
  const [response, websocket] = [flow?.maybeFields('response'), flow?.maybeFields('websocket')];
  return {
    request: flow && toRequest(flow.fields('request')),
    response: response && toResponse(response),
    websocket: websocket && toWebSocket(websocket),
  };
}

function readDns(flow: Fields): Flow['dns'] {
  const response = flow.maybeFields('response');
  return {
    request: toDnsMessage(flow.fields('request')),
    response: response && toDnsMessage(response),
  };
}
