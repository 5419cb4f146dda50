import type { Value } from '../flow/tnetstring.ts';
import type { Target } from './import-target.ts';
import { encodeText } from './import-text.ts';
import { type Times, toSeconds } from './import-times.ts';
import type { LooseObject } from './loose-object.ts';

/** The opcodes of text and binary messages, https://www.rfc-editor.org/rfc/rfc6455#section-5.2. */
const [TEXT, BINARY] = [1, 2];
/** The close code for a socket closed without a code, https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1. */
const NO_CODE = 1005;

/** The WebSocket state of an entry; null if the entry is not a WebSocket. */
export function parseWebSocket(entry: LooseObject, { isWebSocket }: Target, times: Times): Value {
  const messages = entry.objects('_webSocketMessages');
  const isOpen = isWebSocket && entry.object('response')?.number('status') === 101;
  if (!messages && !isOpen) return null;
  return new Map<string, Value>(
    Object.entries({
      messages: (messages ?? []).flatMap((message) => parseMessage(message, times)),
      closed_by_client: null,
      close_code: NO_CODE,
      close_reason: null,
      timestamp_end: null,
    }),
  );
}

/** @returns an empty list for other records: Chrome lists a socket's errors among its messages. */
function parseMessage(message: LooseObject, { answered }: Times): Value[] {
  const [type, opcode] = [message.text('type') ?? '', message.number('opcode') ?? TEXT];
  if (!['send', 'receive'].includes(type) || (opcode !== TEXT && opcode !== BINARY)) return [];
  const data = message.text('data') ?? '';
  const content = opcode === TEXT ? encodeText(data) : Buffer.from(data, 'base64');
  const time = toSeconds((message.number('time') ?? answered) * 1000);
  return [[opcode, type === 'send', content, time, false, false]];
}
