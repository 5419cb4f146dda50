import { readdirSync, readFileSync } from 'node:fs';
import type { Flow } from '../../scripts/lib/flow/flow.ts';
import { parseFlows } from '../../scripts/lib/flow/flow-file.ts';
import { UserError } from '../../scripts/lib/util/error.ts';

/** The longest time for reading one small file, in ms. It is long, since the machine may be busy. */
const HANG_MS = 20_000;

/** Pseudorandom numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Mutation = (bytes: Buffer, pick: (below: number) => number) => Buffer;

/** Ways to damage a flow file, as disks, networks and attackers do. */
const MUTATIONS: Mutation[] = [
  function flipBits(bytes, pick) {
    const copy = Buffer.from(bytes);
    for (let times = 1 + pick(8); times > 0; times--) {
      const at = pick(copy.length);
      copy[at] = (copy[at] ?? 0) ^ (1 << pick(8));
    }
    return copy;
  },
  function cut(bytes, pick) {
    return bytes.subarray(0, pick(bytes.length));
  },
  function takeOut(bytes, pick) {
    const at = pick(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + pick(40))]);
  },
  function forgeLength(bytes, pick) {
    const text = bytes.toString('latin1');
    const lengths = [...text.matchAll(/\d+:/g)];
    const found = lengths[pick(lengths.length)];
    const { index, length } = { index: found?.index ?? 0, length: found?.[0] ?? '' };
    const forged = ['0:', '999999999999:', '4294967296:', `${pick(10_000)}:`, '00000000000001:', '-1:'][
      pick(6)
    ];
    return Buffer.from(text.slice(0, index) + forged + text.slice(index + length.length), 'latin1');
  },
  function forgeType(bytes, pick) {
    const copy = Buffer.from(bytes);
    const tags = [...copy.toString('latin1').matchAll(/[,;#^!~\]}]/g)];
    const index = tags[pick(tags.length)]?.index ?? 0;
    copy[index] = ',;#^!~]}'.charCodeAt(pick(8));
    return copy;
  },
  function nest(bytes, pick) {
    let nested = Buffer.from('0:~');
    for (let depth = pick(2000); depth > 0; depth--)
      nested = Buffer.concat([Buffer.from(`${nested.length}:`), nested, Buffer.from(']')]);
    return Buffer.concat([bytes, nested]);
  },
];

export interface Outcome {
  files: number;
  flows: number;
  refused: number;
  truncated: number;
}

/**
 * Reads damaged flow files.
 * @param use is called with each flow that can be read.
 * @throws Error for a crash, which is any error but a UserError, and for a file that takes too long.
 */
export async function fuzz(files: number, seed: number, use: (flow: Flow) => void): Promise<Outcome> {
  const random = randomFrom(seed);
  const pick = (below: number) => Math.floor(random() * below);
  const samples = await readSamples();
  const outcome: Outcome = { files, flows: 0, refused: 0, truncated: 0 };
  for (let file = 0; file < files; file++) {
    const mutate = MUTATIONS[file % MUTATIONS.length] as Mutation;
    const bytes = mutate(samples[pick(samples.length)] as Buffer, pick);
    const began = Date.now();
    try {
      for await (const { flow } of parseFlows(one(bytes), 'fuzz', () => outcome.truncated++)) {
        outcome.flows++;
        use(flow);
      }
    } catch (error) {
      if (!(error instanceof UserError)) {
        throw new Error(`file ${file} of seed ${seed}, ${mutate.name}`, { cause: error });
      }
      outcome.refused++;
    }
    if (Date.now() - began > HANG_MS) throw new Error(`file ${file} of seed ${seed}, ${mutate.name}: hangs`);
  }
  return outcome;
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/** Pairs of flows from the recordings in this folder. */
async function readSamples(): Promise<Buffer[]> {
  const folder = new URL('./', import.meta.url);
  const samples: Buffer[] = [];
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.mitm'))) {
    const flows: Buffer[] = [];
    const file = one(readFileSync(new URL(name, folder)));
    for await (const { bytes } of parseFlows(file, name, () => undefined)) flows.push(bytes);
    for (let at = 0; at + 1 < flows.length; at++) samples.push(Buffer.concat(flows.slice(at, at + 2)));
  }
  return samples;
}
