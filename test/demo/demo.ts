#!/usr/bin/env -S node --import tsx
import { spawn } from 'node:child_process';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { run } from '../../scripts/lib/cli/run.ts';
import { readFlows } from '../../scripts/lib/formats/read.ts';
import { Interrupted, UserError } from '../../scripts/lib/util/error.ts';
import { run as runToEnd } from '../setup/child.ts';
import { say } from '../setup/progress.ts';
import { POCKET, setUp } from '../setup.ts';
import { prove, readState } from './proof.ts';
import { type Stage, setStage } from './stage.ts';
import { paint, type Request, requestOf, summaryOf } from './traffic.ts';

const USAGE = `Tap a Service of a small shop, see its requests, and give it back.

Usage: demo [flags]

      --context NAME    on the real cluster of this kubeconfig context, not on the pocket cluster
      --tui             in mitmproxy's TUI, until q
  -h, --help            this text
`;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SERVICE = 'orders';
const CAPTURE = 'demo.mitm';
/** How long the requests are shown. */
const SHOW_SECONDS = 10;

interface Flags {
  context?: string | undefined;
  tui?: boolean | undefined;
}

await run(async () => {
  const { values } = parseArgs({
    options: {
      context: { type: 'string' },
      tui: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return void process.stdout.write(USAGE);
  if (values.tui && !(process.stdin.isTTY && process.stdout.isTTY))
    throw new UserError("mitmproxy's TUI needs a terminal");
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

/** A capture: its requests a line each, then what they were. */
async function lookOn(stage: Stage, signal: AbortSignal): Promise<void> {
  tell(['', `Three Services call one another. We capture what reaches ${SERVICE}:`, '']);
  const watch = ['node', '--import', 'tsx', 'test/demo/watch.ts', CAPTURE, String(SHOW_SECONDS)];
  await script('capture', [SERVICE, ...stage.flags, '-o', CAPTURE, '--', ...watch], signal);
  const requests: Request[] = [];
  for await (const { flow } of readFlows(CAPTURE, () => undefined)) {
    const request = requestOf(flow);
    if (request) requests.push(request);
  }
  if (requests.length === 0) throw new UserError('the proxies saw no request');
  tell(['', ...summaryOf(requests)]);
}

/** Runs one of mittens' commands as a user does, in view. */
async function script(command: 'on' | 'capture', args: string[], signal: AbortSignal): Promise<void> {
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

function next({ context, tui }: Flags): string[] {
  const where = context === undefined ? '' : ` CONTEXT=${context}`;
  const { MITTENS_MITMPROXY: folder } = process.env;
  const near = folder && relative(process.cwd(), folder);
  const mitmproxy = near ? `${near.startsWith('..') ? folder : near}/mitmproxy` : 'mitmproxy';
  const commands = tui
    ? [[`make demo${where}`, 'a line for each request']]
    : [
        [`make demo TUI=1${where}`, "the same in mitmproxy's TUI"],
        [`make flows FILE=${CAPTURE}`, 'what was captured, as a table'],
        [`${mitmproxy} -n -r ${CAPTURE}`, 'the same in mitmproxy'],
      ];
  commands.push(['make on SVC=web NS=shop', 'tap a Service of yours; q gives it back']);
  const width = Math.max(...commands.map(([command]) => command?.length ?? 0));
  return commands.map(([command, what]) => `  ${paint(1, (command ?? '').padEnd(width))}   ${what}`);
}

function tell(lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
