import type { Flow } from '../../scripts/lib/flow/flow.ts';
import { readWire } from '../../scripts/lib/wire/read.ts';

/** What happens on a connection: bytes of the client (c) or the app (s), and what else a frame can say. */
export type Step =
  | { c: string | Buffer }
  | { s: string | Buffer }
  | { gap: { client: number; app: number } }
  | 'client ends'
  | 'app ends'
  | 'client resets'
  | 'app resets'
  | 'app refuses'
  | 'over';

/** A frame before it is written; `time` is in milliseconds since START. */
export interface TestFrame {
  type: string;
  connection: number;
  time: number;
  payload: Buffer;
}

/** When test files begin, in seconds since 1970. */
export const START = 1_800_000_000;
const CLIENT = ['10.0.0.7', 41234] as const;
const APP = ['10.0.0.9', 8080] as const;

const EVENTS = {
  'client ends': 'c',
  'app ends': 's',
  'client resets': 'r',
  'app resets': 'R',
  'app refuses': 'R',
  over: 'X',
};

function toBytes(data: string | Buffer): Buffer {
  return typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
}

/** The frames with which a file begins. */
export function beginning(protocol = 'auto'): TestFrame {
  const json = { wire: 1, pod: 'web-1', ports: [{ listen: 7777, app: 8080, protocol }] };
  return { type: 'H', connection: 0, time: 0, payload: Buffer.from(JSON.stringify(json)) };
}

/** The frames of a connection: a millisecond passes with each step. */
export function connection(steps: Step[], id = 1, start = 0): TestFrame[] {
  const opening = { client: CLIENT, listen: 7777, server: steps.includes('app refuses') ? null : APP };
  const open = { type: 'O', connection: id, time: start, payload: Buffer.from(JSON.stringify(opening)) };
  const rest = steps.map((step, index) => ({ connection: id, time: start + index + 1, ...toFrame(step) }));
  return [open, ...rest];
}

function toFrame(step: Step): { type: string; payload: Buffer } {
  if (typeof step === 'string') return { type: EVENTS[step], payload: Buffer.alloc(0) };
  if ('gap' in step) return { type: 'G', payload: Buffer.from(JSON.stringify(step.gap)) };
  return 'c' in step ? { type: 'C', payload: toBytes(step.c) } : { type: 'S', payload: toBytes(step.s) };
}

/** Writes frames as the door does. */
export function writeFrames(frames: TestFrame[]): Buffer {
  return Buffer.concat(
    frames.map(({ type, connection, time, payload }) => {
      const head = Buffer.alloc(17);
      head.write(type, 'latin1');
      head.writeUInt32BE(connection, 1);
      head.writeBigUInt64BE(BigInt(START) * 1_000_000n + BigInt(Math.round(time * 1000)), 5);
      head.writeUInt32BE(payload.length, 13);
      return Buffer.concat([head, payload]);
    }),
  );
}

/** A file of one connection. */
export function writeSteps(steps: Step[], protocol?: string): Buffer {
  return writeFrames([beginning(protocol), ...connection(steps)]);
}

export interface Decoded {
  flows: Flow[];
  /** What the file says was left out. */
  omissions: string[];
  /** What was thrown after the flows. */
  error: unknown;
}

/** Decodes a file, in chunks of a size. */
export async function decode(file: Buffer, chunkBytes = 1024 * 1024): Promise<Decoded> {
  async function* chunks() {
    for (let at = 0; at < file.length; at += chunkBytes) yield file.subarray(at, at + chunkBytes);
  }
  const decoded: Decoded = { flows: [], omissions: [], error: undefined };
  try {
    for await (const flow of readWire(chunks(), 'test.wire', (message) => decoded.omissions.push(message)))
      decoded.flows.push(flow);
  } catch (error) {
    decoded.error = error;
  }
  return decoded;
}

/** The flows of one connection. */
export async function decodeSteps(steps: Step[], protocol?: string): Promise<Flow[]> {
  const { flows, omissions, error } = await decode(writeSteps(steps, protocol));
  if (error || omissions.length > 0) throw error ?? new Error(omissions.join());
  return flows;
}

/** What a TCP connection carried: how it was cut into pieces does not matter. */
function joinMessages(messages: Flow['messages']): string[] {
  const joined: string[] = [];
  for (const { fromClient, content } of messages) {
    const arrow = fromClient ? '> ' : '< ';
    if (joined.at(-1)?.startsWith(arrow)) joined[joined.length - 1] += content.toString('latin1');
    else joined.push(arrow + content.toString('latin1'));
  }
  return joined;
}

/** What a flow says in one line: a request and its response, or what a TCP connection carried. */
export function describeFlow(flow: Flow): string {
  const { request, response, websocket, messages, error, comment } = flow;
  const parts = request
    ? [`${request.method} ${request.authority}${request.path}${describeBody(request)}`]
    : ['TCP', ...joinMessages(messages).map((message) => JSON.stringify(message))];
  if (response) parts.push('|', `${`${response.status} ${response.reason}`.trim()}${describeBody(response)}`);
  if (websocket) parts.push(describeWebSocket(websocket));
  if (error) parts.push(`! ${error.message}`);
  if (comment) parts.push(`# ${comment.replaceAll('mittens: ', '')}`);
  return parts.join(' ');
}

function describeBody(message: NonNullable<Flow['request'] | Flow['response']>): string {
  const { content, trailers, end } = message;
  const body = content && content.length > 0 ? ` ${JSON.stringify(content.toString('latin1'))}` : '';
  const after = trailers ? ` {${trailers.map(([name, value]) => `${name}: ${value}`).join(', ')}}` : '';
  return `${body}${end === undefined ? '…' : ''}${after}`;
}

function describeWebSocket({ messages, closedByClient, closeCode }: NonNullable<Flow['websocket']>): string {
  const said = messages.map(
    ({ fromClient, text, content }) => `${fromClient ? '>' : '<'} ${content.toString(text ? 'utf8' : 'hex')}`,
  );
  const closed =
    closedByClient === undefined ? 'open' : `${closedByClient ? 'client' : 'server'} ${closeCode}`;
  return `[${said.join(', ')}; ${closed}]`;
}
