import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { run } from '../../../scripts/lib/cli/run.ts';
import { UsageError } from '../../../scripts/lib/util/error.ts';
import { listenForInterrupts } from '../../../scripts/lib/util/interrupt.ts';
import { anyCluster } from '../../any-cluster.ts';
import { setUp, TESTS } from '../../setup.ts';
import { difference } from './difference.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { type Note, type Side, Trial } from './trial.ts';

/** The pocket cluster's image of node. */
const POCKET_IMAGE = 'node:20-slim';

/** How many scenarios run at a time; they mostly wait. */
const AT_ONCE = Number(process.env.AT_ONCE ?? 8);

/**
 * Runs the same steps on a real cluster and on a pocket cluster, and prints their differences:
 * compare.ts --context NAME [PART OF A SCENARIO'S NAME]
 */
await run(async () => {
  const { values, positionals } = parseArgs({
    options: { context: { type: 'string' } },
    allowPositionals: true,
  });
  if (!values.context)
    throw new UsageError('which real cluster? --context NAME', 'make conformance CONTEXT=kind-x');
  const { signal } = listenForInterrupts();
  Object.assign(process.env, await setUp(TESTS, signal));
  const clusters = [await anyCluster(values.context), await anyCluster(undefined)] as const;
  try {
    const image = process.env.MITTENS_TEST_APP_IMAGE ?? POCKET_IMAGE;
    const [real, pocket] = clusters;
    const sides: [Side, Side] = [side(real.kubeconfig, image), side(pocket.kubeconfig, POCKET_IMAGE)];
    const chosen = scenarios.filter(({ name }) => name.includes(positionals[0] ?? ''));
    const failed = await compareAll(chosen, sides);
    console.log(`${chosen.length} scenarios, ${failed} steps differ`);
    process.exitCode = failed > 0 ? 1 : 0;
  } finally {
    for (const cluster of clusters) await cluster.stop();
  }
});

function side(kubeconfig: string, image: string): Side {
  const args = [`--kubeconfig=${kubeconfig}`, 'get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}'];
  return {
    kubeconfig,
    image,
    node: execFileSync(process.env.KUBECTL ?? 'kubectl', args, { encoding: 'utf8' }),
  };
}

/**
 * Compares scenarios, several at a time. Those that differ are repeated alone, as load may be the reason.
 * Returns how many steps differ both times.
 */
async function compareAll(chosen: Scenario[], sides: [Side, Side]): Promise<number> {
  const waiting = [...chosen];
  const doubtful: Scenario[] = [];
  async function work(): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift())
      if ((await compare(next, sides)) > 0) doubtful.push(next);
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  let failed = 0;
  for (const scenario of doubtful) failed += await compare(scenario, sides);
  return failed;
}

/** Prints a scenario's differences, and returns the number of steps that differ. */
async function compare({ name, run: steps }: Scenario, sides: [Side, Side]): Promise<number> {
  const started = Date.now();
  const [expected, got] = (await Promise.all(sides.map((side) => takeNotes(steps, name, side)))) as [
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

/** Pairs the notes of the same steps. A side that timed out may have a note that the other lacks. */
function pairs(expected: Note[], got: Note[]): [Note | undefined, Note | undefined][] {
  const left = [...got];
  const both = expected.map((note): [Note, Note | undefined] => {
    const index = left.findIndex(({ step }) => step === note.step);
    return [note, index < 0 ? undefined : left.splice(index, 1)[0]];
  });
  return [...both, ...left.map((note): [undefined, Note] => [undefined, note])];
}

async function takeNotes(steps: Scenario['run'], name: string, side: Side): Promise<Note[]> {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z]+/g, '-')
    .slice(0, 24);
  const trial = new Trial(side, `ct-${slug}-${randomBytes(3).toString('hex')}`);
  await trial.begin();
  try {
    await steps(trial);
  } catch (error) {
    trial.note('the scenario itself', String(error));
  } finally {
    await trial.end();
  }
  return trial.notes;
}
