import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UserError } from '../../scripts/lib/util/error.ts';
import { EXCHANGES } from './wire-exchanges.ts';
import { beginning, connection, decode, describeFlow, type TestFrame, writeFrames } from './wire-file.ts';

/** Numbers that look like chance and are the same for the same seed. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The same bytes in smaller frames. */
function cutFrames(frames: TestFrame[], pick: (below: number) => number): TestFrame[] {
  return frames.flatMap((frame) => {
    if (frame.type !== 'C' && frame.type !== 'S') return [frame];
    const pieces: TestFrame[] = [];
    for (let at = 0; at < frame.payload.length; ) {
      const length = frame.payload.length > 10_000 ? 1 + pick(20_000) : 1 + pick(12);
      pieces.push({ ...frame, payload: frame.payload.subarray(at, at + length) });
      at += length;
    }
    return pieces;
  });
}

describe('a wire file in other pieces', () => {
  it('gives the same flows however the bytes of a connection were cut into frames', async () => {
    const pick = createRandom(7);
    for (const { title, steps, flows } of EXCHANGES)
      for (let round = 0; round < 5; round++) {
        const frames = cutFrames(connection(steps), pick);
        const decoded = await decode(writeFrames([beginning(), ...frames]), 1 + pick(5000));
        assert.deepEqual(decoded.flows.map(describeFlow), flows, title);
        assert.equal(decoded.error, undefined);
      }
  });

  it('gives the same flows when every byte is a frame, and every byte a chunk of the file', async () => {
    for (const { title, steps, flows } of EXCHANGES.filter(({ title }) => !title.includes('300 kB'))) {
      const frames = cutFrames(connection(steps), () => 0);
      const decoded = await decode(writeFrames([beginning(), ...frames]), 1);
      assert.deepEqual(decoded.flows.map(describeFlow), flows, title);
    }
  });

  it('gives the flows of connections that are open at the same time', async () => {
    const pick = createRandom(11);
    const all = EXCHANGES.map(({ steps }, index) => connection(steps, index + 1));
    const frames: TestFrame[] = [];
    for (
      let open = all.filter((rest) => rest.length > 0);
      open.length > 0;
      open = all.filter((rest) => rest.length > 0)
    )
      frames.push((open[pick(open.length)] as TestFrame[]).shift() as TestFrame);
    const { flows, omissions } = await decode(writeFrames([beginning(), ...frames]));
    const expected = EXCHANGES.flatMap(({ flows }) => flows);
    assert.deepEqual(flows.map(describeFlow).sort(), expected.sort());
    assert.deepEqual(omissions, []);
  });

  it('ends at any byte with the flows so far, and says that it ends within a frame', async () => {
    for (const { steps } of EXCHANGES.filter(({ title }) => !title.includes('300 kB'))) {
      const file = writeFrames([beginning(), ...connection(steps)]);
      for (let length = 0; length < file.length; length += 3) {
        const { omissions, error } = await decode(file.subarray(0, length));
        assert.equal(error, undefined);
        assert.ok(
          omissions.every((message) => /^the last frame is incomplete: its last \d+ bytes/.test(message)),
        );
      }
    }
  });

  it('refuses damage in one line, after the flows before it', async () => {
    const pick = createRandom(23);
    const files = EXCHANGES.map(({ steps }) => writeFrames([beginning(), ...connection(steps)]));
    let refused = 0;
    for (let round = 0; round < 3000; round++) {
      const file = Buffer.from(files[pick(files.length)] as Buffer);
      for (let times = 1 + pick(4); times > 0; times--) file[pick(Math.min(file.length, 2000))] = pick(256);
      const { error } = await decode(file);
      if (!error) continue;
      refused++;
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, /^test\.wire is not a wire file from byte \d+ on: [^\n]+$/);
    }
    assert.ok(refused > 0);
  });
});
