import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EXCHANGES } from './wire-exchanges.ts';
import { beginning, connection, type Step, type TestFrame, writeFrames } from './wire-file.ts';
import {
  begin,
  block,
  both,
  CONTINUATION,
  code,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  GOAWAY,
  HEADERS,
  ok,
  over,
  PADDED,
  PUSH_PROMISE,
  RST_STREAM,
  request,
} from './wire-http2-frames.ts';
import { assertObserved } from './wire-observed.ts';

async function assertSame(frames: TestFrame[], atLeast: number): Promise<void> {
  const count = await assertObserved(writeFrames(frames));
  assert.ok(count >= atLeast, `${count} flows`);
}

/** Numbers that look like chance and are the same for the same seed. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const STREAMS: Step[][] = [
  [
    { c: frame(HEADERS, END_HEADERS, 1, request('/1', 'POST')) },
    { c: Buffer.concat([frame(HEADERS, both, 3, request('/3')), frame(DATA, PADDED, 1, '\x02in\0\0')]) },
    { s: frame(HEADERS, END_HEADERS, 1, block(':status: 103', 'link: a')) },
    { s: Buffer.concat([frame(HEADERS, END_HEADERS, 3, ok), frame(DATA, END_STREAM, 3, 'out')]) },
    { c: frame(HEADERS, both, 1, block('x-sum: 1')) },
    {
      s: Buffer.concat([
        frame(HEADERS, END_HEADERS, 1, ok),
        frame(HEADERS, both, 1, block('grpc-status: 0')),
      ]),
    },
  ],
  [
    {
      c: frame(
        HEADERS,
        END_HEADERS,
        1,
        Buffer.concat([request('/'), Buffer.from('8286844188', 'hex'), Buffer.alloc(8, 0x5f)]),
      ),
    },
    { s: frame(PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([code(2), request('/style.css')])) },
    {
      s: Buffer.concat([
        frame(HEADERS, both, 2, ok),
        frame(HEADERS, 0, 1),
        frame(CONTINUATION, END_HEADERS, 1, ok),
      ]),
    },
    { c: frame(RST_STREAM, 0, 1, code(8)) },
    { c: frame(HEADERS, both, 3, request('/open')) },
    { s: frame(GOAWAY, 0, 0, Buffer.concat([code(0), code(11)])) },
  ],
  [{ c: frame(HEADERS, both, 1, request('/')) }, { s: frame(HEADERS, both, 1, '\xff\xff') }],
];
const CASES: Step[][] = [
  ...EXCHANGES.map(({ steps }) => steps),
  ...STREAMS.map((steps) => [...begin, ...steps, ...over]),
];
const SHORT = CASES.filter((steps) => JSON.stringify(steps).length < 10_000);

describe('the observer makes the flows that the decoder in TypeScript makes', () => {
  it('of every exchange', async () => {
    const connections = CASES.flatMap((steps, index) => connection(steps, index + 1, index * 100));
    await assertSame([beginning(), ...connections], 110);
  });

  it('of connections that are open at the same time, in pieces, and cut off', async () => {
    const pick = createRandom(5);
    const queues = CASES.map((steps, index) => connection(steps, index + 1).flatMap((it) => cut(it, pick)));
    const frames = [beginning()];
    for (let count = queues.flat().length - 40; count > 0; count--) {
      const open = queues.filter((queue) => queue.length > 0);
      frames.push({ ...(open[pick(open.length)]?.shift() as TestFrame), time: frames.length });
    }
    await assertSame(frames, 110);
  });

  it('of bytes that are damaged, and with gaps', async () => {
    const pick = createRandom(3);
    const connections = Array.from({ length: 3000 }, (_, index) => {
      const steps = SHORT[pick(SHORT.length)] as Step[];
      return connection(
        steps.flatMap((step) => damage(step, pick)),
        index + 1,
        index * 100,
      );
    });
    await assertSame([beginning(), ...connections.flat()], 3000);
  });

  it('of ports that were declared as something else', async () => {
    for (const protocol of ['tcp', 'https', 'h2c', 'http']) {
      const connections = SHORT.flatMap((steps, index) => connection(steps, index + 1, index * 100));
      await assertSame([beginning(protocol), ...connections], SHORT.length / 2);
    }
  });
});

function cut(whole: TestFrame, pick: (below: number) => number): TestFrame[] {
  if (whole.type !== 'C' && whole.type !== 'S') return [whole];
  const at = pick(whole.payload.length + 1);
  return [whole.payload.subarray(0, at), whole.payload.subarray(at)].map((payload) => ({
    ...whole,
    payload,
  }));
}

/** Half of the steps stay as they are; of the others a byte changes, or bytes are missing there. */
function damage(step: Step, pick: (below: number) => number): Step[] {
  if (typeof step === 'string' || 'gap' in step || pick(2) === 0) return [step];
  if (pick(8) === 0) return [{ gap: { client: pick(9), app: pick(9) } }];
  const bytes = Buffer.from(('c' in step ? step.c : step.s) as string, 'latin1');
  if (bytes.length > 0) bytes[pick(bytes.length)] = pick(256);
  return ['c' in step ? { c: bytes } : { s: bytes }];
}
