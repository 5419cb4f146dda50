import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { FlowPodFile } from '../../scripts/lib/capture/flow-pod-file.ts';
import { followRun } from '../../scripts/lib/capture/follow-pod.ts';
import { TapFollower } from '../../scripts/lib/capture/follow-tap.ts';
import type { CapturedFlow, PodFile } from '../../scripts/lib/capture/pod-file.ts';
import { WirePodFile } from '../../scripts/lib/capture/wire-pod-file.ts';
import { type Flow, parseFlow } from '../../scripts/lib/flow/flow.ts';
import { Splitter } from '../../scripts/lib/flow/splitter.ts';
import { encode } from '../../scripts/lib/flow/tnetstring-encode.ts';
import type { TapRecord } from '../../scripts/lib/plan/record.ts';
import { Budget } from '../../scripts/lib/wire/budget.ts';
import { until } from '../e2e/until.ts';
import { record, service } from './objects.ts';
import { Pods } from './pods.ts';
import { EXCHANGES } from './wire-exchanges.ts';
import { beginning, connection, describeFlow, type Step, type TestFrame, writeFrames } from './wire-file.ts';

const pods = new Pods();
after(() => pods.close());

const RECORDED = readFileSync(new URL('../flows/11.0.mitm', import.meta.url));
const RECORDED_FLOWS = [...new Splitter().push(RECORDED)];

const END_OF_FLOWS = (dropped: number, unread = 0) =>
  encode(new Map<string, string | number>(Object.entries({ mittens: 'end', written: 1, dropped, unread })));

const ask = (path: string): Step => ({ c: `GET ${path} HTTP/1.1\r\nHost: web\r\n\r\n` });
const ANSWER: Step = { s: 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npurr' };
const OVER: Step[] = ['client ends', 'app ends', 'over'];

const endOfWire = (skipped = 0): TestFrame => ({
  type: 'Z',
  connection: 0,
  time: 0,
  payload: Buffer.from(JSON.stringify({ connections: 1, skipped })),
});

/** A file of every exchange that the decoder's tests know, each on a connection of its own. */
const EVERYTHING = writeFrames([
  beginning(),
  ...EXCHANGES.flatMap(({ steps }, index) => connection(steps, index + 1)),
  endOfWire(),
]);
const EVERY_FLOW = EXCHANGES.flatMap(({ flows }) => flows);

const createWire = (bodyLimit?: number) => new WirePodFile({ bodyLimit, budget: new Budget() });

/** Reads a whole file in chunks of a size. */
function readIn(file: PodFile, bytes: Buffer, chunkBytes: number): Buffer[] {
  const flows: CapturedFlow[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes)
    flows.push(...file.push(bytes.subarray(at, at + chunkBytes)));
  // A filter sees the flow, and the file has the bytes.
  for (const { bytes, flow } of flows) assert.equal(describeFlow(flow), describeFlow(parseFlow(bytes)));
  return flows.map(({ bytes }) => bytes);
}

describe('the file of a pod', () => {
  for (const size of [1, 7, 4093, EVERYTHING.length])
    it(`has the same flows in chunks of ${size} bytes when it is a wire file`, () => {
      const file = createWire();
      assert.deepEqual(readIn(file, EVERYTHING, size).map(parseFlow).map(describeFlow), EVERY_FLOW);
      assert.deepEqual([...file.end()], []);
      assert.deepEqual(
        [file.isOver, file.passed, file.received],
        [true, EVERYTHING.length, EVERYTHING.length],
      );
    });

  for (const size of [1, 7, 4093])
    it(`has the same flows in chunks of ${size} bytes when it has flows`, () => {
      const file = new FlowPodFile();
      const bytes = Buffer.concat([RECORDED, END_OF_FLOWS(3, 2048)]);
      assert.deepEqual(readIn(file, bytes, size), RECORDED_FLOWS);
      assert.deepEqual(file.listOmissions(), [
        '3 flows are missing: its disk or its 1 GiB was full',
        '2.0 KiB passed unread: mitmproxy was too slow for them',
      ]);
    });

  it('tells how far it was read: to the end of a frame', () => {
    const frames = [beginning(), ...connection([ask('/'), ANSWER])].map((frame) => writeFrames([frame]));
    const last = frames.pop() as Buffer;
    const before = Buffer.concat(frames);
    const file = createWire();
    assert.deepEqual([...file.push(Buffer.concat([before, last.subarray(0, -1)]))], []);
    assert.deepEqual([file.passed, file.received], [before.length, before.length + last.length - 1]);
  });

  it('has bodies and messages up to the limit, and says that they were cut', () => {
    const body = (length: number) => `Content-Length: ${length}\r\n\r\n${'x'.repeat(length)}`;
    const bytes = writeFrames([
      beginning(),
      ...connection(
        [
          { c: `POST / HTTP/1.1\r\nHost: web\r\n${body(50)}` },
          { s: `HTTP/1.1 200 OK\r\n${body(70)}` },
          ...OVER,
        ],
        1,
      ),
      ...connection([ask('/short'), ANSWER, ...OVER], 2),
      ...connection([{ c: `*1\r\n${'y'.repeat(40)}` }, { s: '+OK' }, ...OVER], 3),
    ]);
    assert.deepEqual(readIn(createWire(20), bytes, 100).map(parseFlow).map(describeFlow), [
      `POST / "${'x'.repeat(20)}" | 200 OK "${'x'.repeat(20)}" # cut to 20 bytes, the longest from 70`,
      'GET /short | 200 OK "purr"',
      `TCP "> *1\\r\\n${'y'.repeat(16)}" "< +OK" # cut to 20 bytes, the longest from 44`,
    ]);
  });

  it('has messages of a WebSocket up to the limit', () => {
    const { steps } = EXCHANGES.find(({ flows }) => flows.some((flow) => /\[> \w{4,}/.test(flow))) ?? {
      steps: [],
    };
    const [flow] = readIn(createWire(2), writeFrames([beginning(), ...connection(steps)]), 1000).map(
      parseFlow,
    );
    assert.ok(flow?.websocket?.messages.every(({ content }) => content.length <= 2));
    assert.match(flow?.comment ?? '', /cut to 2 bytes, the longest from \d+$/);
  });
});

/** Follows the pods of a tap. */
class Following {
  readonly flows: Flow[] = [];
  readonly #follower: TapFollower;

  constructor(program: TapRecord['program']) {
    const tap = { kubectl: pods.kubectl, service: service(), record: record({ program }) };
    this.#follower = new TapFollower(tap, async ({ bytes }) => void this.flows.push(parseFlow(bytes)));
  }

  static async start(program: TapRecord['program']): Promise<Following> {
    const following = new Following(program);
    await following.#follower.start();
    return following;
  }

  get described(): string[] {
    return this.flows.map(describeFlow);
  }

  async has(count: number): Promise<void> {
    await until(`${count} flows have come`, () => this.flows.length >= count);
  }

  async finish(): Promise<string[]> {
    return (await this.#follower.finish(60)).warnings;
  }
}

describe('a pod that is followed', () => {
  const wire = '/tmp/mittens.wire';

  it('gives the flows of its wire file as they end, tells the pod what was read, and leaves at the end', async () => {
    pods.run('web-1');
    const [half, rest] = [EVERYTHING.subarray(0, -1000), EVERYTHING.subarray(-1000)];
    pods.append('web-1', wire, half);
    const following = await Following.start('wire');
    const [passed] = await until('the follower has told', () => {
      const told = pods.readFollowers('web-1');
      return Number(told?.[0]) > 0 && told;
    });
    assert.ok(Number(passed) > 0 && Number(passed) <= half.length, passed);
    assert.ok(following.flows.length > 0);
    pods.append('web-1', wire, rest);
    assert.deepEqual(await following.finish(), []);
    assert.deepEqual(following.described, EVERY_FLOW);
    assert.deepEqual(pods.readFollowers('web-1'), []);
    pods.delete('web-1');
  });

  for (const [what, file, bytes, expected] of [
    ['a frame', createWire(), EVERYTHING, EVERY_FLOW],
    [
      'a flow',
      new FlowPodFile(),
      Buffer.concat([RECORDED, END_OF_FLOWS(0)]),
      RECORDED_FLOWS.map(parseFlow).map(describeFlow),
    ],
  ] as const)
    it(`goes on at the byte where it was when the connection is lost within ${what}`, async () => {
      pods.run('web-1');
      const flows: Buffer[] = [];
      const run = { pod: 'web-1', uid: 'uid-web-1', container: 'mittens-web', restarts: 0 };
      const never = new AbortController().signal;
      const end = followRun(
        pods.kubectl,
        run,
        'f00d',
        file,
        async ({ bytes }) => void flows.push(bytes),
        never,
      );
      for (const part of [0.3, 0.6]) {
        const length = Math.round(bytes.length * part);
        pods.append('web-1', file.path, bytes.subarray(file.received, length));
        await until('all has come', () => file.received === length);
        assert.ok(file.passed < length);
        pods.loseConnection('web-1');
      }
      pods.append('web-1', file.path, bytes.subarray(file.received));
      assert.deepEqual(await end, { kind: 'complete' });
      assert.deepEqual(flows.map(parseFlow).map(describeFlow), expected);
      pods.delete('web-1');
    });

  it('gives what was open when its proxy died, and then the flows of the next run', async () => {
    pods.run('web-1');
    pods.append(
      'web-1',
      wire,
      writeFrames([beginning(), ...connection([ask('/done'), ANSWER, ask('/open')])]),
    );
    const following = await Following.start('wire');
    await following.has(1);
    pods.run('web-1', 1);
    pods.append(
      'web-1',
      wire,
      writeFrames([beginning(), ...connection([ask('/again'), ANSWER, ...OVER]), endOfWire()]),
    );
    await following.has(3);
    assert.deepEqual(await following.finish(), [
      'the proxy in pod web-1 died: its last requests may be missing',
    ]);
    assert.deepEqual(following.described.sort(), [
      'GET /again | 200 OK "purr"',
      'GET /done | 200 OK "purr"',
      'GET /open ! the capture ended before the connection did',
    ]);
    pods.delete('web-1');
  });

  it('warns of bytes that were not written, and of a file that is damaged, by pod', async () => {
    const whole = [beginning(), ...connection([ask('/'), ANSWER, ...OVER])];
    pods.run('web-1');
    pods.append('web-1', wire, writeFrames([...whole, endOfWire(1200)]));
    pods.run('web-2');
    pods.append('web-2', wire, Buffer.concat([writeFrames(whole), Buffer.from('damage')]));
    const following = await Following.start('wire');
    assert.deepEqual((await following.finish()).sort(), [
      'pod web-1: 1200 bytes are missing: they were not written',
      'the flows of pod web-2 are damaged: no frame begins here',
    ]);
    assert.deepEqual(following.described, ['GET / | 200 OK "purr"', 'GET / | 200 OK "purr"']);
    pods.delete('web-1');
    pods.delete('web-2');
  });
});
