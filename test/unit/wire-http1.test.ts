import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EXCHANGES } from './wire-exchanges.ts';
import { decodeSteps, describeFlow } from './wire-file.ts';

describe('a wire file of HTTP/1, WebSocket and TCP', () => {
  for (const { title, steps, flows } of EXCHANGES)
    it(`decodes ${title}`, async () => {
      assert.deepEqual((await decodeSteps(steps)).map(describeFlow), flows);
    });
});
