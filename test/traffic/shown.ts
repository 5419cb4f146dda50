import { createHash } from 'node:crypto';
import type { Flow } from '../../scripts/lib/flow/flow.ts';
import { describeFlow } from '../unit/wire-file.ts';

/** What is longer is told by its length and its hash, in bytes. */
const LONG = 100;

/** What a flow says in one line, as describeFlow has it, less what is long. */
export function showFlow(flow: Flow): string {
  const { request, response, websocket } = flow;
  return describeFlow({
    ...flow,
    request: request && { ...request, path: shorten(request.path), content: shortenBody(request.content) },
    response: response && {
      ...response,
      reason: shorten(response.reason),
      content: shortenBody(response.content),
    },
    websocket: websocket && {
      ...websocket,
      messages: websocket.messages.map((message) => ({
        ...message,
        text: message.text || message.content.length > LONG,
        content: shortenBytes(message.content),
      })),
    },
    messages: joinMessages(flow.messages).map((message) => ({
      ...message,
      content: shortenBytes(message.content),
    })),
  });
}

function joinMessages(messages: Flow['messages']): Flow['messages'] {
  const joined: Flow['messages'] = [];
  for (const message of messages) {
    const last = joined.at(-1);
    if (last?.fromClient === message.fromClient)
      joined[joined.length - 1] = { ...last, content: Buffer.concat([last.content, message.content]) };
    else joined.push(message);
  }
  return joined;
}

function shortenBody<Body extends Buffer | null | undefined>(content: Body): Body | Buffer {
  return content ? shortenBytes(content) : content;
}

function shortenBytes(bytes: Buffer): Buffer {
  return Buffer.from(shorten(bytes.toString('latin1')), 'latin1');
}

function shorten(text: string): string {
  if (text.length <= LONG) return text;
  const hash = createHash('sha256').update(text, 'latin1').digest('hex').slice(0, 8);
  return `(${text.length} bytes, ${hash})`;
}
