import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Flow } from '../../scripts/lib/flow/flow.ts';
import { readFlows } from '../../scripts/lib/formats/read.ts';
import { python } from '../flows/python.ts';
import { App } from '../traffic/app.ts';
import { CASES } from '../traffic/cases.ts';
import { type Conversation, playAll } from '../traffic/client.ts';
import { differences } from '../traffic/compare.ts';
import { Door } from '../traffic/door.ts';
import { showFlow } from '../traffic/shown.ts';
import { decode } from './wire-file.ts';

/** How many cases are played at a time. */
const PORTS = 8;
/** For what one side sends to reach the other, where all of it must, in ms: a machine may be busy. */
const PATIENCE_MS = 20_000;

const HOST = '127.0.0.1';
const app = new App();
let control: number;
let ports: number[];
let direct: Map<string, Conversation>;

before(async () => {
  ({ ports, control } = await app.listen(Array(PORTS).fill(0), 0));
  direct = await play(ports);
});
after(() => app.close());

/** Each client has an address of its own, so that its flows are known. */
const addressOf = (title: string) => {
  const number = CASES.findIndex((one) => one.title === title);
  return `127.1.${number >> 8}.${number & 255}`;
};

/** Plays all cases, by the app's own ports or those in front of them. */
async function play(at: number[]): Promise<Map<string, Conversation>> {
  const addresses = at.map((port) => ({ host: HOST, port }));
  const conversations = await playAll({ host: HOST, port: control }, addresses, PATIENCE_MS, addressOf);
  return new Map(conversations.map((conversation) => [conversation.title, conversation]));
}

function differing(tapped: Map<string, Conversation>): Record<string, string[]> {
  return Object.fromEntries(
    [...direct].flatMap(([title, conversation]) => {
      const played = tapped.get(title);
      const different = played ? differences(conversation, played) : ['it was not played'];
      return different.length > 0 ? [[title, different]] : [];
    }),
  );
}

/** The flows that differ from what the cases say. */
function wrong(flows: Flow[]): Record<string, object> {
  const shown = new Map<unknown, string[]>();
  for (const flow of flows) {
    const [address] = flow.client.peer ?? [];
    shown.set(address, [...(shown.get(address) ?? []), showFlow(flow)]);
  }
  return Object.fromEntries(
    CASES.flatMap(({ title, flows: expected }) => {
      const found = shown.get(addressOf(title)) ?? [];
      const isRight = !expected || JSON.stringify(found) === JSON.stringify(expected);
      return isRight ? [] : [[title, { found, expected }]];
    }),
  );
}

describe('the cases', () => {
  it('are more than 163, each with a title of its own, and nearly all with flows', () => {
    assert.equal(new Set(CASES.map(({ title }) => title)).size, CASES.length);
    assert.ok(CASES.filter(({ flows }) => flows).length > 300);
  });

  it('are played to their ends, each on one connection', () => {
    for (const { title, stuck, app } of direct.values())
      assert.deepEqual([stuck, app.length], [undefined, 1], title);
  });
});

describe('a door that relays', () => {
  const door = new Door();
  const folder = mkdtempSync(join(tmpdir(), 'mittens-traffic-'));
  let wire: Buffer;
  before(async () => {
    tapped = await play(await door.open(ports));
    wire = await door.leave();
  });
  after(() => {
    door.close();
    rmSync(folder, { recursive: true });
  });
  let tapped: Map<string, Conversation>;

  it('lets client and app see every byte and end as without it', () => {
    assert.deepEqual(differing(tapped), {});
  });

  it('writes a wire file of which the decoder makes the flows that passed', async () => {
    const { flows, omissions, error } = await decode(wire);
    assert.deepEqual([omissions, error], [[], undefined]);
    assert.deepEqual(wrong(flows), {});
  });

  it('writes a wire file of which the observer makes the same', async () => {
    const [copies, file] = [join(folder, 'all.wire'), join(folder, 'all.mitm')];
    writeFileSync(copies, wire);
    writeFileSync(file, '');
    await python(RUN, OBSERVE, copies, file);
    const flows: Flow[] = [];
    for await (const { flow } of readFlows(file, assert.fail)) flows.push(flow);
    assert.deepEqual(wrong(flows), {});
  });
});

const OBSERVE = fileURLToPath(new URL('../addon/observe.py', import.meta.url));
const RUN = 'import runpy, sys; sys.argv[:] = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name="__main__")';
