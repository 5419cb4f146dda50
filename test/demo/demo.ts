#!/usr/bin/env -S node --import tsx
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCommandLine, run } from '../../scripts/lib/cli.ts';
import { Interrupted, UserError } from '../../scripts/lib/error.ts';
import { run as runToEnd } from '../setup/child.ts';
import { say, step } from '../setup/progress.ts';
import { POCKET, setUp } from '../setup.ts';
import { prove, readState } from './proof.ts';
import { type Stage, setStage } from './stage.ts';
import { lineOf, paint, summaryOf, Traffic } from './traffic.ts';

const USAGE = `Tap a Service of a small shop, see its requests, and give it back.

Usage: demo [flags]

      --context NAME    on the real cluster of this kubeconfig context, not on the pocket cluster
      --tui             in mitmproxy's TUI, until q
  -h, --help            this text
`;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SERVICE = 'orders';
const CONTAINER = `mittens-${SERVICE}`;
const TEMPLATES = 'test/demo/templates';
const CAPTURE = 'demo.mitm';
/** How long the requests are shown, in ms. */
const SHOW_MS = 10_000;

interface Flags {
  context?: string | undefined;
  tui?: boolean | undefined;
}

await run(async () => {
  const { values } = parseCommandLine(USAGE, {
    context: { type: 'string' },
    tui: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.tui && !(process.stdin.isTTY && process.stdout.isTTY))
    throw new UserError("mitmproxy's TUI needs a terminal, and this is none");
  await demo(values, listen());
});

/** A signal ends the demo, and a second one does not end its clearing up. */
function listen(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => controller.abort(new Interrupted(name)));
  // A terminal that was closed.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return controller.signal;
}

async function demo(flags: Flags, signal: AbortSignal): Promise<void> {
  const inPocket = flags.context === undefined;
  const needs = inPocket ? POCKET : { kubectl: '1.20', mitmproxy: false, programs: [] };
  if (flags.tui) needs.programs = [...needs.programs, 'tmux'];
  Object.assign(process.env, await setUp(needs, signal));
  const stage = await setStage(flags.context, signal);
  try {
    const before = await readState(stage, signal);
    if (flags.tui) await lookIn(stage, signal);
    else await lookOn(stage, signal);
    const proven = await prove(stage, before, signal);
    tell(['', 'All is as before the tap:', ...proven.map((line) => `  ${paint(32, '✓')} ${line}`)]);
  } catch (error) {
    if (signal.aborted) say('\nclearing up …');
    // Whatever state the tap is in; an error of its own would hide the first one.
    await giveBack(stage).catch(() => undefined);
    throw error;
  } finally {
    await stage.clear();
  }
  tell(['', 'Try next:', ...next(flags)]);
}

/** The tap in mitmproxy's TUI, until the user leaves it. */
async function lookIn(stage: Stage, signal: AbortSignal): Promise<void> {
  await script('on', [SERVICE, ...stage.flags], signal);
  // Left on by C-b d, or not: it ends here.
  await giveBack(stage);
}

/** The tap beside us: its requests a line each, then what they were. */
async function lookOn(stage: Stage, signal: AbortSignal): Promise<void> {
  tell(['', `Three Services call one another. We tap ${SERVICE}:`, '']);
  await script('on', [SERVICE, ...stage.flags, '--detach', `--templates=${TEMPLATES}`], signal);
  tell(['', `Who calls ${SERVICE}, for ${SHOW_MS / 1000} s:`, '']);
  const pods = await podsWithProxy(stage);
  const traffic = new Traffic(stage, pods, CONTAINER);
  await traffic.watch((request) => tell([lineOf(request)]), SHOW_MS, signal);
  const { requests } = traffic;
  if (requests.length === 0) throw new UserError('the proxies saw no request');
  await step(`fetching ${CAPTURE}`, async () => await fetchFlows(stage, pods));
  tell(['', 'We give it back:', '']);
  await script('off', [SERVICE, ...stage.flags], signal);
  tell(['', `${requests.length} requests were seen, and are in ${CAPTURE}:`, '', ...summaryOf(requests)]);
}

/** Runs one of mittens' commands as a user does, in view. */
async function script(command: 'on' | 'off', args: string[], signal: AbortSignal): Promise<void> {
  const file = `scripts/${command}.ts`;
  tell([paint(1, `$ npx tsx ${file} ${args.join(' ')}`)]);
  const options = { cwd: ROOT, stdio: 'inherit' } as const;
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], options);
  // A Ctrl-C reaches it by the terminal as well; other signals only here. It gives the Service back by itself.
  const stop = () => child.kill();
  signal.addEventListener('abort', stop);
  const code = await new Promise((resolve) => child.once('exit', resolve));
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (code !== 0) throw new UserError(`${command} failed`);
}

/** Gives the Service back, whatever state its tap is in; out of a Ctrl-C's reach. */
async function giveBack(stage: Stage): Promise<void> {
  const args = ['--import', 'tsx', `${ROOT}scripts/off.ts`, SERVICE, ...stage.flags, '--timeout=60s'];
  const { ok, lastWords } = await runToEnd(process.execPath, args, { detached: true });
  if (!ok) throw new UserError(lastWords);
}

interface Pod {
  metadata: { name: string };
  spec: { containers: { name: string }[] };
}

async function podsWithProxy({ kubectl }: Stage): Promise<string[]> {
  const pods = await kubectl.list<Pod>(['pods', `--selector=app=${SERVICE}`]);
  return pods
    .filter(({ spec }) => spec.containers.some(({ name }) => name === CONTAINER))
    .map(({ metadata }) => metadata.name);
}

/** Fetches what the proxies captured; files of mitmproxy's may be put one after another. */
async function fetchFlows({ kubectl }: Stage, pods: string[]): Promise<void> {
  const file = openSync(CAPTURE, 'w');
  for (const pod of pods) {
    const [command = '', ...args] = kubectl.argv([
      'exec',
      pod,
      '-c',
      CONTAINER,
      '--',
      'cat',
      '/tmp/flows.mitm',
    ]);
    const child = spawn(command, args, { stdio: ['ignore', file, 'ignore'] });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    if (code !== 0) throw new UserError(`the flows of pod ${pod} could not be fetched`);
  }
  closeSync(file);
}

function next({ context, tui }: Flags): string[] {
  const where = context === undefined ? '' : ` CONTEXT=${context}`;
  const { MITTENS_MITMPROXY: folder } = process.env;
  const near = folder && relative(process.cwd(), folder);
  const mitmproxy = near ? `${near.startsWith('..') ? folder : near}/mitmproxy` : 'mitmproxy';
  const commands = tui
    ? [[`make demo${where}`, 'a line for each request']]
    : [
        [`make demo TUI=1${where}`, "the same in mitmproxy's TUI"],
        [`${mitmproxy} -n -r ${CAPTURE}`, 'look into what was captured'],
      ];
  commands.push(['make on SVC=web NS=shop', 'tap a Service of yours; q gives it back']);
  const width = Math.max(...commands.map(([command]) => command?.length ?? 0));
  return commands.map(([command, what]) => `  ${paint(1, (command ?? '').padEnd(width))}   ${what}`);
}

function tell(lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
