import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Flow } from '../../scripts/lib/flow/flow.ts';
import { readFlows } from '../../scripts/lib/formats/read.ts';
import { python } from '../flows/python.ts';
import { Bench, type Tap } from '../peers/tap.ts';
import { App } from '../traffic/app.ts';
import type { Case } from '../traffic/case.ts';
import { CASES } from '../traffic/cases.ts';
import { CHANGES } from '../traffic/changes.ts';
import { type Conversation, play } from '../traffic/client.ts';
import { differences } from '../traffic/compare.ts';
import { Door } from '../traffic/door.ts';
import { isLarge } from '../traffic/script.ts';
import { showFlow } from '../traffic/shown.ts';
import { decode } from './wire-file.ts';

const PROTOCOLS = readFileSync(new URL('../../docs/protocols.md', import.meta.url), 'utf8');

/** How many cases are played at a time. */
const PORTS = 24;
/** For what one side sends to reach the other, where all of it must, in ms: a machine may be busy. */
const PATIENCE_MS = 20_000;
/** The same where much never does. What differs by then for no reason that is known gets more patience. */
const HASTE_MS = 1_000;

type Conversations = Map<string, Conversation>;

const HOST = '127.0.0.1';
const app = new App();
let control: number;
let ports: number[];
let direct: Conversations;

before(async () => {
  ({ ports, control } = await app.listen(Array(PORTS).fill(0), 0));
  direct = await playAt(ports);
});
after(() => app.close());

/** Each client has an address of its own, so that its flows are known. */
const addressOf = (title: string) => {
  const number = CASES.findIndex((one) => one.title === title);
  return `127.1.${number >> 8}.${number & 255}`;
};

/** Plays cases by the app's own ports or those in front of them. */
async function playAt(at: number[], cases: Case[] = CASES, limitMs = PATIENCE_MS): Promise<Conversations> {
  const addresses = at.map((port) => ({ host: HOST, port }));
  const playing = { control: { host: HOST, port: control }, addresses, limitMs, from: addressOf };
  const conversations = await play(cases, playing);
  return new Map(conversations.map((conversation) => [conversation.title, conversation]));
}

/** How those differ from the same without a tap, by their titles. */
function differing(tapped: Conversations): Record<string, string[]> {
  return Object.fromEntries(
    [...tapped].flatMap(([title, conversation]) => {
      const different = differences(direct.get(title) as Conversation, conversation);
      return different.length > 0 ? [[title, different]] : [];
    }),
  );
}

/** The flows that differ from what the cases say. */
function wrong(flows: Flow[], cases: Case[] = CASES): Record<string, object> {
  const shown = new Map<unknown, string[]>();
  for (const flow of flows) {
    const [address] = flow.client.peer ?? [];
    shown.set(address, [...(shown.get(address) ?? []), showFlow(flow)]);
  }
  return Object.fromEntries(
    cases.flatMap(({ title, flows: expected }) => {
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
    tapped = await playAt(await door.open(ports));
    wire = await door.leave();
  });
  after(() => {
    door.close();
    rmSync(folder, { recursive: true });
  });
  let tapped: Conversations;

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

/** A tap of the app's ports, and where it listens. */
async function tapApp(bench: Bench, ...options: string[]): Promise<{ tap: Tap; at: number[] }> {
  const tap = await bench.tap({
    ports: Object.fromEntries(ports.map((port) => [`${port}`, ['auto', port]])),
    options,
  });
  return { tap, at: ports.map((port) => tap.port(`${port}`)) };
}

describe('mitmproxy that watches', () => {
  it('changes nothing, and writes the flows that passed', async () => {
    const bench = await Bench.open();
    try {
      const { tap, at } = await tapApp(bench);
      const [large, small] = [true, false].map((size) =>
        CASES.filter(({ moves }) => isLarge(moves) === size),
      );
      assert.deepEqual(differing(await playAt(at, small)), {});
      // Of much at once copies are left out.
      assert.deepEqual(differing(await playAt(at, large)), {});
      tap.process.kill('SIGUSR1');
      assert.equal((await tap.ended()).code, 0);
      assert.deepEqual(wrong(await tap.flows(() => true, 0), small), {});
    } finally {
      bench.close();
    }
  });
});

describe('mitmproxy that serves connections', () => {
  const named = Object.values(CHANGES).flat();

  it('changes what it is known to change, and nothing else', async () => {
    const bench = await Bench.open();
    try {
      // Nothing is as large, but it could be changed.
      const { at } = await tapApp(bench, 'body_size_limit=10g');
      const changed = differing(await playAt(at, CASES, HASTE_MS));
      const again = CASES.filter(({ title }) => title in changed && !named.includes(title));
      assert.deepEqual(differing(await playAt(at, again)), {});
      assert.deepEqual(
        named.filter((title) => !(title in changed)),
        [],
        'these are no longer changed',
      );
    } finally {
      bench.close();
    }
  });

  it('changes what docs/protocols.md says', () => {
    const [, section = ''] = PROTOCOLS.split('## What is changed');
    const rows = [...section.matchAll(/^- (.*(?:\n {2}.*)*)/gm)].map(([, row = '']) =>
      row.replace(/\n */g, ' '),
    );
    assert.deepEqual(rows, Object.keys(CHANGES));
  });
});

const OBSERVE = fileURLToPath(new URL('../addon/observe.py', import.meta.url));
const RUN = 'import runpy, sys; sys.argv[:] = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name="__main__")';
