import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { difference } from './difference.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { type Note, type Side, Trial } from './trial.ts';

/** How many scenarios run at once: most of their time they wait. */
const AT_ONCE = Number(process.env.AT_ONCE ?? 8);

/**
 * Takes the same steps on a real cluster and on the one that imitates it, and prints where they differ.
 * node --import tsx test/conformance/compare.ts EXPECTED_KUBECONFIG [GOT_KUBECONFIG|pocket [PART OF A NAME]]
 */
async function main([expected = '', got = 'pocket', part = '']: string[]): Promise<void> {
  const image = process.env.MITTENS_TEST_APP_IMAGE ?? 'node:20-slim';
  const pocket = got === 'pocket' ? await startPocket() : undefined;
  try {
    const sides: [Side, Side] = [
      side(expected, image),
      side(pocket?.kubeconfig ?? got, got === expected ? image : 'node:20-slim'),
    ];
    const chosen = scenarios.filter(({ name }) => name.includes(part));
    const failed = await compareAll(chosen, sides);
    console.log(`${chosen.length} scenarios, ${failed} steps differ`);
    process.exitCode = failed > 0 ? 1 : 0;
  } finally {
    await pocket?.stop();
  }
}

async function startPocket(): Promise<{ kubeconfig: string; stop(): Promise<void> }> {
  const { startCluster } = await import('../cluster/cluster.ts');
  return await startCluster();
}

function side(kubeconfig: string, image: string): Side {
  const args = [`--kubeconfig=${kubeconfig}`, 'get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}'];
  return {
    kubeconfig,
    image,
    node: execFileSync(process.env.KUBECTL ?? 'kubectl', args, { encoding: 'utf8' }),
  };
}

async function compareAll(chosen: Scenario[], sides: [Side, Side]): Promise<number> {
  const waiting = [...chosen];
  let failed = 0;
  async function work(): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const different = await compare(next, sides);
      failed += different;
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return failed;
}

/** Prints what differs in a scenario, and returns in how many steps. */
async function compare({ name, run }: Scenario, sides: [Side, Side]): Promise<number> {
  const started = Date.now();
  const [expected, got] = (await Promise.all(sides.map((side) => notesOf(run, name, side)))) as [
    Note[],
    Note[],
  ];
  const different = pairs(expected, got)
    .map(([a, b]) => {
      if (a?.seen === b?.seen) return '';
      return `  ${a?.step ?? b?.step}\n${difference(a?.seen ?? 'not come to', b?.seen ?? 'not come to')}`;
    })
    .filter(Boolean);
  const seconds = Math.round((Date.now() - started) / 1000);
  console.log(
    [
      `${different.length > 0 ? 'DIFFERS' : 'same'}: ${name} (${expected.length} steps, ${seconds} s)`,
      ...different,
    ].join('\n'),
  );
  if (process.env.VERBOSE)
    for (const { step, seen } of expected) console.log(`  > ${step}\n${seen.replace(/^/gm, '      ')}`);
  return different.length;
}

/** The notes of the same steps: one side may have a note that the other has not, when it waits in vain. */
function pairs(expected: Note[], got: Note[]): [Note | undefined, Note | undefined][] {
  const left = [...got];
  const both = expected.map((note): [Note, Note | undefined] => {
    const index = left.findIndex(({ step }) => step === note.step);
    return [note, index < 0 ? undefined : left.splice(index, 1)[0]];
  });
  return [...both, ...left.map((note): [undefined, Note] => [undefined, note])];
}

async function notesOf(run: Scenario['run'], name: string, side: Side): Promise<Note[]> {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z]+/g, '-')
    .slice(0, 24);
  const trial = new Trial(side, `ct-${slug}-${randomBytes(3).toString('hex')}`);
  await trial.begin();
  try {
    await run(trial);
  } catch (error) {
    trial.note('the scenario itself', String(error));
  } finally {
    await trial.end();
  }
  return trial.notes;
}

await main(process.argv.slice(2));
