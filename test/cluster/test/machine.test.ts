import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Launched, launch } from '../src/launch.ts';
import { trials } from './machine-trials.ts';

describe("the pocket cluster's machine", () => {
  let machine: Launched;
  before(async () => {
    machine = await launch(fileURLToPath(new URL('machine.ts', import.meta.url)));
    await machine.firstLine;
  });
  after(async () => await machine?.stop());

  for (const name of Object.keys(trials))
    it(name, { timeout: 60_000 }, async () => {
      const answer = await fetch(`http://127.0.0.1:${machine.port}/${encodeURIComponent(name)}`);
      assert.equal(answer.status, 200, await answer.text());
    });
});
