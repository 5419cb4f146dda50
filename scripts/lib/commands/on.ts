import type { Flags } from '../cli/flags.ts';
import { mittensCommand } from '../cli/to-run.ts';
import type { Service } from '../kube/objects.ts';
import { choosePorts, describePort } from '../plan/ports.ts';
import { refuseTapped } from '../plan/preflight.ts';
import type { TapRecord } from '../plan/record.ts';
import type { TapRequest } from '../plan/request.ts';
import { commandFor, isPod, targetId } from '../plan/target-id.ts';
import { closeSessionIfOver } from '../session/end-tap.ts';
import { show } from '../session/show.ts';
import { startWatcher } from '../session/watcher.ts';
import type { ActiveTap } from '../tap/active-tap.ts';
import { type Context, createContext } from '../tap/context.ts';
import { needsReconciler, Reconciler } from '../tap/reconciler.ts';
import { findServiceOfPod, openTarget, resolve } from '../tap/resolve.ts';
import { dryRun, tapService } from '../tap/tap.ts';
import { UsageError, UserError } from '../util/error.ts';
import type { Interrupts } from '../util/interrupt.ts';
import { message } from '../util/message.ts';
import { listenForUser } from './interrupts.ts';
import { pickPorts } from './pick-port.ts';
import { parseRequest } from './tap-request.ts';

/** The command `on`: taps a Service, shows mitmproxy, and restores the Service when the user quits. */
export async function on(argument: string, flags: Flags<'on'>, mitmproxyArgs: string[]): Promise<void> {
  refuseContradictions(flags);
  const asked = parseOnRequest(argument, flags, mitmproxyArgs);
  const interrupts = listenForUser(
    flags.isolate ? mittensCommand('list', []) : mittensCommand('off', [argument]),
    flags,
  );
  const named = await resolve(createContext(flags, { signal: interrupts.signal }), argument);
  const target = asked.pod ? await findServiceOfPod(named) : named;
  refuseWithoutTerminal(flags);
  const { context, service, record: earlier } = await openTarget(target);
  refuseUnwatched(service, asked, flags);
  const request = earlier
    ? planMorePorts(context, service, earlier, asked)
    : { ...asked, ports: await pickPorts(service, asked.ports, interrupts.signal) };
  if (flags['dry-run']) {
    process.stdout.write(await dryRun(context, service, request));
    return;
  }
  const isThere = earlier && isTapped(service, earlier, request.ports);
  const record = isThere ? earlier : await tapOrEnd(context, service, request, earlier);
  printTapped(context, service, record, record === earlier);
  const tap = { kubectl: context.kubectl, service, record };
  await goOn(context, tap, flags, interrupts, { isOurs: !isThere });
}

function parseOnRequest(argument: string, flags: Flags<'on'>, mitmproxyArgs: string[]): TapRequest {
  const intercept = flags.intercept === undefined ? [] : ['--intercept', flags.intercept];
  const program = flags.web ? 'mitmweb' : 'mitmproxy';
  return parseRequest(argument, flags, program, [...intercept, ...mitmproxyArgs]);
}

/** Taps a Service. When adding ports fails, the earlier tap ends, too; then its session is closed. */
async function tapOrEnd(
  context: Context,
  service: Service,
  request: TapRequest,
  earlier: TapRecord | undefined,
): Promise<TapRecord> {
  try {
    return await tapService(context, service, request);
  } catch (error) {
    // The error of the tap is what the user must know.
    if (earlier)
      await closeSessionIfOver({ kubectl: context.kubectl, service, record: earlier }).catch(() => undefined);
    throw error;
  }
}

/** Shows a tap, or leaves it on. Runs the reconciler of a tap that this process began. */
async function goOn(
  context: Context,
  tap: ActiveTap,
  flags: Flags<'on'>,
  interrupts: Interrupts,
  { isOurs }: { isOurs: boolean },
): Promise<void> {
  const isWatched = isOurs && needsReconciler(tap);
  if (isWatched && flags['watch-detached']) await startWatcher(context, tap, flags);
  if (flags.detach) {
    context.log.say(message`show it: ${commandFor('attach', tap.service)}
restore it: ${commandFor('off', tap.service)}`);
    return;
  }
  const reconciler = isWatched && !flags['watch-detached'] ? new Reconciler(context, tap).start() : undefined;
  await show(context, tap, { tmux: !flags['no-tmux'], interrupts, endsTap: isOurs, reconciler });
}

function refuseContradictions(flags: Flags<'on'>): void {
  if (flags['watch-detached'] && flags['no-tmux'])
    throw new UsageError('--watch-detached keeps its watcher in tmux', 'leave out --no-tmux');
  if (flags.web && flags['no-tmux'])
    throw new UsageError(
      '--no-tmux is for the terminal, and --web shows nothing there',
      'leave out one of them',
    );
}

function refuseWithoutTerminal(flags: Flags<'on'>): void {
  if (flags.detach || flags.web || flags['dry-run'] || (process.stdin.isTTY && process.stdout.isTTY)) return;
  throw new UserError("mitmproxy's TUI needs a terminal", {
    hint: 'use --detach now, and attach later from a terminal',
  });
}

/** @throws UserError for a detached tap without a watcher, in which new pods would get no traffic. */
function refuseUnwatched(service: Service, { mode }: TapRequest, flags: Flags<'on'>): void {
  if (mode === 'sidecar' || isPod(service) || !flags.detach || flags['watch-detached']) return;
  throw new UserError('with --no-restart, new pods get the proxy only while a watcher runs', {
    hint: 'add --watch-detached, which runs a watcher in tmux\nor leave out --detach',
  });
}

/**
 * The request that adds ports to a tap that is on. Everybody who attaches sees the same, so its scripts and rules stay.
 * @throws UserError when the tap is of another kind than the request.
 */
function planMorePorts(
  { log }: Context,
  service: Service,
  earlier: TapRecord,
  request: TapRequest,
): TapRequest {
  refuseTapped(service, earlier, request);
  const { files, mitmproxyArgs, forwarded, tlsSecret, clientTlsSecret } = request;
  if (files.length + mitmproxyArgs.length > 0 || forwarded || tlsSecret || clientTlsSecret) {
    const name = targetId(service);
    log.say(
      message`note: ${name} is already tapped; its scripts and rules can't change while the tap is on
to start again, end it first: ${commandFor('off', service)}`,
    );
  }
  const nothing = { files: [], mitmproxyArgs: [], forwarded: false };
  return { ...request, ...nothing, addsPorts: true, tlsSecret: undefined, clientTlsSecret: undefined };
}

/** Whether a tap is on and already has all wanted ports. */
function isTapped(service: Service, record: TapRecord, ports: readonly string[]): boolean {
  if (record.phase !== 'on') return false;
  const wanted = ports.length > 0 ? choosePorts(service, ports) : [];
  return wanted.every(({ port }) => record.ports.some((tapped) => tapped.port === port));
}

function printTapped({ log }: Context, service: Service, record: TapRecord, already: boolean): void {
  const ports = choosePorts(
    service,
    record.ports.map(({ port }) => String(port)),
  );
  const what = `${targetId(service)} in ${service.metadata.namespace}, port ${ports.map(describePort).join(', ')}`;
  log.say(`${what}, is tapped${already ? ` already, by ${record.owner} since ${record.started}` : ''}`);
}
