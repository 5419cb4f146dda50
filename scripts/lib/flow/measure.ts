import type { Flow } from './flow.ts';

/**
 * The latency in ms, from the first byte of the request to the last byte of the response.
 * @returns undefined if there is no complete response.
 */
export function measureLatency({ request, response, dns }: Flow): number | undefined {
  const start = request?.start ?? dns?.request.timestamp;
  const end = response?.end ?? dns?.response?.timestamp;
  return start === undefined || end === undefined ? undefined : Math.max(0, (end - start) * 1000);
}

/** The bytes to and from the server: bodies and messages only, as they were sent. */
export function countBytes(flow: Flow): { sent: number; received: number } {
  const messages = [...flow.messages, ...(flow.websocket?.messages ?? [])];
  const sum = (fromClient: boolean) =>
    messages.reduce(
      (sum, message) => sum + (message.fromClient === fromClient ? message.content.length : 0),
      0,
    );
  return {
    sent: (flow.request?.content?.length ?? 0) + sum(true),
    received: (flow.response?.content?.length ?? 0) + sum(false),
  };
}
