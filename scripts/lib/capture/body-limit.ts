import type { Dict, Value } from '../flow/tnetstring.ts';

/**
 * Cuts longer bodies and messages in the state of a flow, and says so in its comment, as templates/addon/body_limit.py
 * does in a pod.
 * @param state is changed.
 * @param limit in bytes.
 */
export function cutBodies(state: Dict, limit: number): void {
  let longest = 0;
  const cut = (content: Value): Value => {
    if (!Buffer.isBuffer(content) || content.length <= limit) return content;
    longest = Math.max(longest, content.length);
    return content.subarray(0, limit);
  };
  for (const name of ['request', 'response']) {
    const message = state.get(name);
    if (message instanceof Map) message.set('content', cut(message.get('content') ?? null));
  }
  // The content of a message comes after the boolean that says who sent it.
  cutMessages(state.get('websocket'), 2, cut);
  cutMessages(state, 1, cut);
  if (longest > 0) state.set('comment', noteCut(state.get('comment'), limit, longest));
}

function cutMessages(holder: Value | undefined, at: number, cut: (content: Value) => Value): void {
  const messages = holder instanceof Map ? holder.get('messages') : undefined;
  if (!(holder instanceof Map) || !Array.isArray(messages)) return;
  const cutMessage = (message: Value): Value =>
    Array.isArray(message) ? message.with(at, cut(message[at] ?? null)) : message;
  holder.set('messages', messages.map(cutMessage));
}

function noteCut(comment: Value | undefined, limit: number, longest: number): string {
  return [comment, `mittens: cut to ${limit} bytes, the longest from ${longest}`].filter(Boolean).join('\n');
}
