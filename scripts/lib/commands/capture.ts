import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { CaptureFile, type CaptureFileEnd, formatTimestamp } from '../capture/capture-file.ts';
import { FINISH_SECONDS, type FollowResult, TapFollower } from '../capture/follow-tap.ts';
import type { Flags } from '../cli/flags.ts';
import { type Filter, parseFilter } from '../flow/filter.ts';
import { parseFlow } from '../flow/flow.ts';
import { type Kubectl, KubectlError, toConnection } from '../kube/kubectl.ts';
import { refuseSecond } from '../plan/preflight.ts';
import { parseRecord } from '../plan/record.ts';
import type { TapRequest } from '../plan/request.ts';
import { targetId } from '../plan/target-id.ts';
import { type ActiveTap, readPhase } from '../tap/active-tap.ts';
import { type Context, createContext } from '../tap/context.ts';
import { readTarget } from '../tap/read-target.ts';
import { needsReconciler, Reconciler } from '../tap/reconciler.ts';
import { resolve } from '../tap/resolve.ts';
import { tapService } from '../tap/tap.ts';
import { untap } from '../tap/untap.ts';
import { Command } from '../util/command.ts';
import { UsageError, UserError } from '../util/error.ts';
import { type Interrupts, listenForInterrupts } from '../util/interrupt.ts';
import { parseDuration, parseSize } from '../util/parse.ts';
import { formatBytes } from '../util/units.ts';
import { askWhichPort } from './pick-port.ts';
import { parseRequest } from './tap-request.ts';

/** What whoever runs a capture may want to know. */
export interface CaptureEvents {
  /** Until then nothing is changed. */
  onFirstChange?: () => void;
  /** The Service is tapped, and its flows are read. */
  onTapped?: () => void;
}

/** What a capture is for, and when it ends but for a Ctrl-C: as far as it was said. */
interface Purpose {
  /** Seconds. */
  seconds: number | undefined;
  command: string[];
  onTapped: (() => void) | undefined;
}

/** How often the live line is drawn and the Service is looked at, in ms. */
const TICK_MS = 1000;
const LOOK_MS = 3000;
/**
 * The command `capture`: taps a Service, writes the flows of all its pods into a file as they come, and gives the
 * Service back.
 * @param command is run meanwhile; its end is the capture's.
 * @returns the exit code, which is the command's.
 */
export async function capture(
  argument: string,
  flags: Flags<'capture'>,
  command: string[],
  { onFirstChange, onTapped }: CaptureEvents = {},
): Promise<number> {
  const request = parseCaptureRequest(flags);
  // Not in the pods: mitmproxy takes less than our filters do, and reads `~c 5..` as something else.
  const wanted = flags.filter === undefined ? undefined : parseFilter(flags.filter);
  const purpose = {
    seconds: flags.for === undefined ? undefined : parseDuration(flags.for),
    command,
    onTapped,
  };
  const interrupts = listenForInterrupts();
  const { kubectl: somewhere, name } = await resolve(toConnection(flags), argument, interrupts.signal);
  if (!name.startsWith('service/'))
    throw new UsageError(
      `"${argument}" is not a Service`,
      `on ${name} taps one pod; capture takes all of a Service`,
    );
  const context = createContext(somewhere, flags);
  const file = parseCaptureFile(flags, name.slice('service/'.length));
  context.signal = interrupts.signal;
  if (onFirstChange) context.onFirstChange = onFirstChange;
  const service = await readTarget(somewhere, name);
  context.kubectl = somewhere.in(service.metadata.namespace);
  const earlier = parseRecord(service);
  if (earlier) refuseSecond(service, earlier, request.program);
  await refuseWithoutExec(context.kubectl);
  request.ports = await askWhichPort(service, request.ports, interrupts.signal);
  const record = await tapService(context, service, request);
  const tap = { kubectl: context.kubectl, service, record };
  return await captureTap(context, tap, file, wanted, purpose, interrupts);
}

/** Records a tap that is on, and gives the Service back whatever happens. */
async function captureTap(
  context: Context,
  tap: ActiveTap,
  file: CaptureFile,
  wanted: Filter | undefined,
  purpose: Purpose,
  { signal }: Interrupts,
): Promise<number> {
  const { log } = context;
  const name = targetId(tap.service);
  const { signal: _, ...patient } = context;
  const reconciler = needsReconciler(tap) ? new Reconciler(context, tap).start() : undefined;
  const follower = new TapFollower(tap, async (bytes) => {
    if (!wanted || wanted(parseFlow(bytes))) await file.add(bytes);
  });
  let command: Command | undefined;
  try {
    await file.open();
    await follower.start();
    const isOurs = process.stderr.isTTY && purpose.command.length === 0;
    const hint = isOurs ? '; Ctrl-C ends it' : '';
    log.say(`${name} is tapped; its flows go to ${formatFileName(file)}${hint}`);
    purpose.onTapped?.();
    if (purpose.command.length > 0) command = new Command(purpose.command, { ownStdout: file.name !== '-' });
    log.say(await waitForEnd(context, tap, { file, follower, purpose, command, reconciler, signal }));
  } finally {
    if (signal.aborted) command?.pass(signal.reason);
    await reconciler?.stop();
    let patience = 0;
    try {
      await untap(patient, name, tap.record.id);
      patience = FINISH_SECONDS;
    } finally {
      // Pods of a Service that could not be given back do not end.
      log.progress('waiting for the last flows');
      printResult(context, file, await follower.finish(patience));
      await file.close();
    }
  }
  const code = await command?.exitCode;
  if (reconciler?.failed.aborted) throw reconciler.failed.reason;
  if (code !== undefined) return code;
  if (signal.aborted) throw signal.reason;
  return 0;
}

interface Running {
  file: CaptureFile;
  follower: TapFollower;
  purpose: Purpose;
  command: Command | undefined;
  /** Of a tap without a restart. */
  reconciler: Reconciler | undefined;
  signal: AbortSignal;
}

/** Waits for the end of a capture, and says why it came. */
async function waitForEnd({ log }: Context, tap: ActiveTap, running: Running): Promise<string> {
  const { file, purpose, command, reconciler, signal } = running;
  const began = Date.now();
  const ends = [signal, file.ended, command?.ended, reconciler?.failed];
  const over = AbortSignal.any(ends.filter((end) => end !== undefined));
  let looked = began;
  while (!over.aborted) {
    const now = Date.now();
    if (purpose.seconds !== undefined && now - began >= purpose.seconds * 1000)
      return `${purpose.seconds} s are over`;
    if (now - looked >= LOOK_MS) {
      looked = now;
      if (await isGivenBack(tap)) return 'it was given back by someone else';
    }
    if (process.stderr.isTTY && !command) log.progress(formatProgress(running, now - began));
    const left = purpose.seconds === undefined ? TICK_MS : began + purpose.seconds * 1000 - now;
    await wait(Math.min(TICK_MS, Math.max(left, 1)), undefined, { signal: over }).catch(() => undefined);
  }
  if (file.ended.aborted) return FILE_ENDS[file.ended.reason as CaptureFileEnd] ?? 'ending';
  return command?.ended.aborted ? String(command.ended.reason) : 'ending';
}

const FILE_ENDS: Record<CaptureFileEnd, string> = {
  count: '--count is reached',
  size: '--max-size is reached',
  closed: 'nobody reads it any more',
};

/** What a user sees while it runs. */
function formatProgress({ file, follower }: Running, ms: number): string {
  const perSecond = ms > 0 ? (file.flows / ms) * 1000 : 0;
  const rate = perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond));
  return `${formatTotal(file, follower.pods)}, ${formatBytes(file.bytes)}, ${rate} a second`;
}

function formatTotal({ flows }: CaptureFile, pods: number): string {
  return `${flows} ${flows === 1 ? 'flow' : 'flows'} from ${pods} ${pods === 1 ? 'pod' : 'pods'}`;
}

function formatFileName({ name }: CaptureFile): string {
  return name === '-' ? 'stdout' : name;
}

function printResult({ log }: Context, file: CaptureFile, { pods, warnings }: FollowResult): void {
  for (const warning of warnings) log.say(`warning: ${warning}`);
  log.say(`${formatTotal(file, pods)} in ${formatFileName(file)}`);
}

/** Whether the tap is gone; an API server that is away for a while does not end a capture. */
async function isGivenBack(tap: ActiveTap): Promise<boolean> {
  try {
    return (await readPhase(tap)) !== 'on';
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** What the user asked of `capture`, checked before anything is read. */
function parseCaptureRequest(flags: Flags<'capture'>): TapRequest {
  const options: string[] = [];
  if (flags['body-limit'] !== undefined) options.push(`mittens_body_limit=${parseSize(flags['body-limit'])}`);
  const args = options.flatMap((option) => ['--set', option]);
  return parseRequest(flags, 'mitmdump', args);
}

/** Where the flows go. @throws UserError for a place where no file can be. */
function parseCaptureFile(flags: Flags<'capture'>, service: string): CaptureFile {
  const count = flags.count === undefined ? undefined : Number(flags.count);
  if (count !== undefined && !(Number.isSafeInteger(count) && count > 0))
    throw new UsageError(`"${flags.count}" is not a number of flows`);
  const limits = { count, size: flags['max-size'] === undefined ? undefined : parseSize(flags['max-size']) };
  const name = flags.output ?? `${service}-${formatTimestamp(new Date())}.mitm`;
  if (name === '') throw new UsageError('--output needs the name of a file');
  if (name === '-') {
    if (process.stdout.isTTY) throw new UsageError('flows are not for a terminal', 'pipe them: -o - | …');
    return new CaptureFile(name, limits);
  }
  try {
    if (existsSync(name) && statSync(name).isDirectory()) throw new UserError(`${name} is a folder`);
    accessSync(existsSync(name) ? name : dirname(name), constants.W_OK);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${name} can't be written: ${(error as Error).message}`);
  }
  return new CaptureFile(name, limits);
}

/** @throws UserError for someone who could tap the Service, and then not fetch a flow. */
async function refuseWithoutExec(kubectl: Kubectl): Promise<void> {
  try {
    await kubectl.run(['auth', 'can-i', 'create', 'pods', '--subresource=exec', '--quiet']);
  } catch (error) {
    // Quiet, it says nothing but by its exit code; with words, the question could not be asked.
    if (!(error instanceof KubectlError) || error.message !== 'kubectl failed without a word') throw error;
    throw new UserError('the flows come by kubectl exec, and you may not create pods/exec here', {
      hint: 'docs/rbac.yaml is the Role that it takes',
    });
  }
}
