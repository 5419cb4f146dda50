import { statSync } from 'node:fs';
import { formatter } from '../cli/caller.ts';
import type { Flags } from '../cli/flags.ts';
import type { Flow } from '../flow/flow.ts';
import { formatFileName } from '../flow/flow-file.ts';
import { copyFlows, FORMATS, type Format, writeFile } from '../formats/formats.ts';
import { UsageError, type UserError } from '../util/error.ts';
import { createLog } from '../util/log.ts';
import { Output } from '../util/output.ts';
import { chooseFlows } from './choose-flows.ts';

/** The command `flows`: prints or writes the flows of files. */
export async function flows(names: string[], flags: Flags<'flows'>): Promise<void> {
  if (names.filter((name) => name === '-').length > 1) throw new UsageError('stdin can be read only once');
  if (flags['exit-code']) throw new UsageError('only flows diff has the flag --exit-code');
  const format =
    flags.output === undefined && flags.write !== undefined ? undefined : findFormat(flags.output);
  if (format && flags.write === '-') throw new UsageError('-o and -w - both write to stdout');
  const log = createLog(process.stderr, formatter());
  const state: State = { flows: 0, damage: undefined };
  const onDamage = (error: UserError) => {
    state.damage = error;
  };
  const chosen = tally(chooseFlows(names, flags, log, onDamage), state);
  const out = new Output(process.stdout);
  const title = names.map(formatFileName).join(', ');
  const print = async (flows: AsyncIterable<Flow>) => {
    if (format) await format(flows, out.write, title);
    else for await (const _ of flows);
    // A damaged file must not be replaced by what could be read of it.
    if (state.damage && names.some((name) => isSameFile(name, flags.write))) throw state.damage;
  };
  try {
    if (flags.write === undefined) await print(chosen);
    else if (flags.write === '-') await print(copyFlows(chosen, out.write));
    else await writeFile(flags.write, async (write) => await print(copyFlows(chosen, write)));
  } finally {
    await out.flush();
  }
  if (state.damage) throw state.damage;
  if (state.flows === 0) log.say(`No flows found in ${title}.`);
}

function isSameFile(name: string, other: string | undefined): boolean {
  const [a, b] = [name, other].map((path) => path && statSync(path, { throwIfNoEntry: false }));
  return a && b ? a.dev === b.dev && a.ino === b.ino : false;
}

interface State {
  flows: number;
  /** Why a file could not be read to its end. */
  damage: UserError | undefined;
}

/** Counts flows while they pass. */
async function* tally(flows: AsyncIterable<Flow>, state: State): AsyncGenerator<Flow> {
  for await (const flow of flows) {
    state.flows++;
    yield flow;
  }
}

function findFormat(name = 'table'): Format {
  if (isFormat(name)) return FORMATS[name];
  throw new UsageError(`there is no output format "${name}"`, Object.keys(FORMATS).join(', '));
}

function isFormat(name: string): name is keyof typeof FORMATS {
  return Object.hasOwn(FORMATS, name);
}
