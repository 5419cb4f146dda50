import { Fields } from './fields.ts';
import type { Value } from './tnetstring.ts';

/** One message of a TCP, UDP or WebSocket connection. */
export interface Message {
  fromClient: boolean;
  content: Buffer;
  /** Seconds since 1970. */
  timestamp: number;
}

export interface WebSocketMessage extends Message {
  /** Whether it was a text message; otherwise it was binary. */
  text: boolean;
  /** Whether mitmproxy dropped it instead of passing it on. */
  dropped: boolean;
}

export interface WebSocket {
  messages: WebSocketMessage[];
  closedByClient: boolean | undefined;
  closeCode: number | undefined;
  closeReason: string | undefined;
  /** Seconds since 1970. */
  end: number | undefined;
}

/** The opcode of text messages, https://www.rfc-editor.org/rfc/rfc6455#section-5.2. */
const TEXT_OPCODE = 1;

/** Reads a message of a TCP or UDP flow's state. */
export function toMessage(item: Value): Message {
  return toBareMessage(Fields.fromList(item, ['from_client', 'content', 'timestamp']));
}

/** Reads the WebSocket of an HTTP flow's state. */
export function toWebSocket(websocket: Fields): WebSocket {
  return {
    messages: websocket.list('messages').map(toWebSocketMessage),
    closedByClient: websocket.maybe('closed_by_client', websocket.boolean),
    closeCode: websocket.maybe('close_code', websocket.number),
    closeReason: websocket.maybe('close_reason', websocket.text),
    end: websocket.maybe('timestamp_end', websocket.number),
  };
}

function toWebSocketMessage(item: Value): WebSocketMessage {
  const names = ['type', 'from_client', 'content', 'timestamp', 'dropped', 'injected'];
  const message = Fields.fromList(item, names);
  return {
    ...toBareMessage(message),
    text: message.number('type') === TEXT_OPCODE,
    dropped: message.boolean('dropped'),
  };
}

function toBareMessage(message: Fields): Message {
  return {
    fromClient: message.boolean('from_client'),
    content: message.bytes('content'),
    timestamp: message.number('timestamp'),
  };
}
