import { setTimeout as wait } from 'node:timers/promises';
import type { CaptureFile, CaptureFileEnd } from '../capture/capture-file.ts';
import { FINISH_SECONDS, type FollowResult, TapFollower } from '../capture/follow-tap.ts';
import type { CapturedFlow } from '../capture/pod-file.ts';
import type { Filter } from '../flow/filter.ts';
import { targetId } from '../plan/target-id.ts';
import { type ActiveTap, readPhase } from '../tap/active-tap.ts';
import { type Context, withoutSignal } from '../tap/context.ts';
import { needsReconciler, Reconciler } from '../tap/reconciler.ts';
import { untap } from '../tap/untap.ts';
import { Command } from '../util/command.ts';
import { UserError } from '../util/error.ts';
import { formatBytes } from '../util/units.ts';

/** What a capture is for, and when it ends by itself. */
export interface CapturePurpose {
  readonly seconds: number | undefined;
  /** Only matching flows are written. */
  readonly filter: Filter | undefined;
  /** What is kept of each body or message, in bytes. */
  readonly bodyLimit: number | undefined;
  /** Runs during the capture; empty for none. */
  readonly command: string[];
  readonly onTapped: (() => void) | undefined;
}

/** How often the progress line is drawn, in ms. */
const TICK_MS = 1000;
/** How often the record is read, in ms. */
const LOOK_MS = 3000;

/** Writes the flows of a tap to a file until the capture ends. Restores the Service whatever happens. */
export async function captureTap(
  context: Context,
  tap: ActiveTap,
  file: CaptureFile,
  purpose: CapturePurpose,
  signal: AbortSignal,
): Promise<number> {
  const reconciler = needsReconciler(tap) ? new Reconciler(context, tap).start() : undefined;
  const take = async (captured: CapturedFlow) => {
    if (!purpose.filter || purpose.filter(captured.flow)) await file.add(captured.bytes);
  };
  const follower = new TapFollower(tap, take, purpose.bodyLimit);
  let command: Command | undefined;
  try {
    await file.open();
    await follower.start();
    printStart(context, tap, file, purpose);
    purpose.onTapped?.();
    if (purpose.command.length > 0) command = new Command(purpose.command, { ownStdout: file.name !== '-' });
    const running = { file, follower, purpose, command, reconciler, signal };
    context.log.say(await waitForEnd(context, tap, running));
  } finally {
    if (signal.aborted) command?.pass(signal.reason);
    await reconciler?.stop();
    await finish(context, tap, file, follower);
  }
  const code = await command?.exitCode;
  if (reconciler?.failed.aborted) throw reconciler.failed.reason;
  if (code !== undefined) return code;
  if (signal.aborted) throw signal.reason;
  return 0;
}

function printStart(
  { log }: Context,
  { service }: ActiveTap,
  file: CaptureFile,
  { command }: CapturePurpose,
): void {
  const hint = process.stderr.isTTY && command.length === 0 ? '; Ctrl-C ends it' : '';
  log.say(`${targetId(service)} is tapped; its flows go to ${formatFileName(file)}${hint}`);
}

/** Restores the Service and reads the last flows. */
async function finish(
  context: Context,
  { service, record }: ActiveTap,
  file: CaptureFile,
  follower: TapFollower,
): Promise<void> {
  // When the Service can't be restored, its proxies do not end.
  let patience = 0;
  try {
    await untap(withoutSignal(context), targetId(service), record.id);
    patience = FINISH_SECONDS;
  } finally {
    context.log.progress('waiting for the last flows');
    printResult(context, file, await follower.finish(patience));
    await file.close();
  }
}

interface Running {
  file: CaptureFile;
  follower: TapFollower;
  purpose: CapturePurpose;
  command: Command | undefined;
  /** undefined for a tap with a restart. */
  reconciler: Reconciler | undefined;
  signal: AbortSignal;
}

/** Waits for the end of a capture, and returns the reason. */
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
      if (await isOver(tap)) return 'someone else restored the Service';
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
  closed: 'its reader has ended',
};

/** The progress line. */
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

/** Whether the tap is over. An API server that is away for a while does not end a capture. */
async function isOver(tap: ActiveTap): Promise<boolean> {
  try {
    return (await readPhase(tap)) !== 'on';
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
