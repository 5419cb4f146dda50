import { formatter } from '../cli/caller.ts';
import type { Flags } from '../cli/flags.ts';
import { Comparable, compare, type Difference } from '../flow/diff.ts';
import { UsageError } from '../util/error.ts';
import { createLog, type Log } from '../util/log.ts';
import { printTable } from '../util/table.ts';
import { toVisibleJson } from '../util/visible-json.ts';
import { chooseFlows } from './choose-flows.ts';

/** The command `flows diff`: lists the differences between two captures. */
export async function flowsDiff(names: string[], flags: Flags<'flows'>): Promise<void> {
  const [before, after, ...more] = names;
  if (before === undefined || after === undefined || more.length > 0)
    throw new UsageError('flows diff takes two flow files', 'flows diff BEFORE.mitm AFTER.mitm');
  const { output = 'table' } = flags;
  if (!['table', 'json'].includes(output))
    throw new UsageError(`flows diff has no output format "${output}"`, 'table or json');
  for (const flag of ['sort', 'limit', 'write'] as const)
    if (flags[flag] !== undefined) throw new UsageError(`flows diff has no flag --${flag}`);
  const log = createLog(process.stderr, formatter());
  const read = async (name: string) => await readComparable(name, flags, log);
  const differences = compare(await read(before), await read(after));
  if (output === 'json') process.stdout.write(`${toVisibleJson(differences, 2)}\n`);
  else if (differences.length === 0) log.say('No differences found.');
  else printDifferences(differences);
  if (differences.length > 0 && flags['exit-code']) process.exitCode = 1;
}

async function readComparable(name: string, flags: Flags<'flows'>, log: Log): Promise<Comparable> {
  const comparable = new Comparable();
  for await (const flow of chooseFlows([name], flags, log)) comparable.add(flow);
  return comparable;
}

function printDifferences(differences: Difference[]): void {
  const rows = differences.map(({ kind, endpoint, what }) => [kind, endpoint, what]);
  printTable(process.stdout, [['CHANGE', 'ENDPOINT', 'WHAT'], ...rows]);
}
