import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { decodeBody } from '../../scripts/lib/flow/body.ts';
import type { Flow } from '../../scripts/lib/flow/flow.ts';
import type { Request, Response } from '../../scripts/lib/flow/http-message.ts';
import { measureLatency } from '../../scripts/lib/flow/measure.ts';
import { formatUrl } from '../../scripts/lib/flow/url.ts';
import { readFlows } from '../../scripts/lib/formats/read.ts';
import { writeHar } from '../../scripts/lib/har/export.ts';

/** The path of a file in test/flows. */
export function recording(name: string): string {
  return fileURLToPath(new URL(`../flows/${name}`, import.meta.url));
}

/** Reads all flows of a flow file or HAR file. */
export async function readAll(file: string): Promise<Flow[]> {
  const flows: Flow[] = [];
  for await (const { flow } of readFlows(file, () => assert.fail('truncated'))) flows.push(flow);
  return flows;
}

/** Writes flows as HAR. */
export async function toHar(flows: Iterable<Flow>): Promise<string> {
  const pieces: Buffer[] = [];
  await writeHar(each(flows), async (piece) => {
    pieces.push(Buffer.from(piece));
  });
  return Buffer.concat(pieces).toString();
}

async function* each(flows: Iterable<Flow>): AsyncGenerator<Flow> {
  yield* flows;
}

/** Asserts that flows are the same as far as HAR can hold them. Latencies may differ by 10 µs. */
export function assertSame(actual: Flow[], expected: Flow[]): void {
  assert.deepEqual(actual.map(toComparable), expected.map(toComparable));
  for (const [index, flow] of expected.entries()) {
    const [a, b] = [actual[index] ?? flow, flow].map((flow) => measureLatency(flow) ?? -1);
    assert.ok(Math.abs((a ?? 0) - (b ?? 0)) < 0.01, `flow ${index}: ${a} ms, ${b} ms`);
  }
}

/** The parts of a flow that HAR can hold, without its times. */
function toComparable(flow: Flow) {
  const { request, response, websocket, error, comment, server } = flow;
  assert.ok(request);
  return {
    url: formatUrl(request),
    method: request.method,
    request: toMessage(request),
    response: response && { ...toMessage(response), status: response.status, reason: response.reason },
    messages: websocket?.messages.map(({ fromClient, text, content }) => ({ fromClient, text, content })),
    error: error?.message,
    comment,
    address: server.peer?.[0],
  };
}

function toMessage(message: Request | Response) {
  const { httpVersion, headers, trailers } = message;
  // Bodies in HAR are decoded.
  const kept = headers.filter(([name]) => !/^content-(encoding|length)$/i.test(name));
  return { httpVersion, headers: kept, trailers, body: decodeBody(message) };
}
