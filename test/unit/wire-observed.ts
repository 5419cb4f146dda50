import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decode as decodeValue, type Value } from '../../scripts/lib/flow/tnetstring.ts';
import { encode } from '../../scripts/lib/flow/tnetstring-encode.ts';
import { readFlows } from '../../scripts/lib/formats/read.ts';
import { python } from '../flows/python.ts';
import { decode } from './wire-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'mittens-observer-'));
after(() => rmSync(folder, { recursive: true }));

const OBSERVE = fileURLToPath(new URL('../addon/observe.py', import.meta.url));
const RUN = 'import runpy, sys; sys.argv[:] = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name="__main__")';

/** The flows that the observer in the pod makes of the copies in a wire file. */
async function observe(file: Buffer): Promise<unknown[]> {
  const [wire, flows] = [join(folder, 'test.wire'), join(folder, 'test.mitm')];
  writeFileSync(wire, file);
  writeFileSync(flows, '');
  await python(RUN, OBSERVE, wire, flows);
  const observed: unknown[] = [];
  for await (const { flow } of readFlows(flows, assert.fail)) observed.push(toPlain(flow.state));
  return observed;
}

/** The flows that are made of it in TypeScript, as they are written. */
async function decodeStates(file: Buffer): Promise<unknown[]> {
  const { flows, error } = await decode(file);
  assert.equal(error, undefined);
  return flows.map(({ state }) => toPlain(decodeValue(encode(state))));
}

/** A state without what is chosen at random, and with TCP bytes as they passed, however they were cut into pieces. */
function toPlain(value: Value): unknown {
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  if (Array.isArray(value)) return value.map(toPlain);
  if (!(value instanceof Map)) return value;
  const plain = Object.fromEntries([...value].map(([key, part]) => [key, toPlain(part)]));
  if (plain.type === 'tcp') plain.messages = joinBytes(plain.messages as [boolean, string, number][]);
  return { ...plain, id: undefined };
}

function joinBytes(messages: [boolean, string, number][]): unknown[] {
  const joined: [boolean, string][] = [];
  for (const [fromClient, bytes] of messages) {
    const last = joined.at(-1);
    if (last?.[0] === fromClient) last[1] += bytes;
    else joined.push([fromClient, bytes]);
  }
  return joined;
}

/** The observer makes the same flows of a wire file. @returns how many. */
export async function assertObserved(file: Buffer): Promise<number> {
  const [expected, observed] = [await decodeStates(file), await observe(file)];
  for (const [index, flow] of expected.entries()) assert.deepEqual(observed[index], flow);
  assert.equal(observed.length, expected.length);
  return expected.length;
}
