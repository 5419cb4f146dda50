import { connectionOf, parseDuration, parsePort } from './cli.ts';
import { UsageError, UserError } from './error.ts';
import { type Interrupts, listenForInterrupts } from './interrupt.ts';
import { untapAndKeep } from './keep.ts';
import { type Connection, Kubectl } from './kubectl.ts';
import type { Service } from './kubernetes.ts';
import type { TapRequest } from './plan.ts';
import { choosePorts, describePort } from './port.ts';
import { askForPort } from './prompt.ts';
import { recordOf, type TapRecord } from './record.ts';
import { refuseSecond } from './refusal.ts';
import { locate } from './service.ts';
import { closeSession, detachKeys, type Tapped, view } from './session.ts';
import { talkOn } from './talk.ts';
import { dryRun, tap } from './tap.ts';
import { Templates } from './template.ts';
import type { Workbench } from './workbench.ts';

export interface OnFlags extends Connection {
  port?: string[] | undefined;
  https?: boolean | undefined;
  'listen-port'?: string | undefined;
  image?: string | undefined;
  'image-pull-policy'?: string | undefined;
  templates?: string | undefined;
  timeout?: string | undefined;
  detach?: boolean | undefined;
  'no-tmux'?: boolean | undefined;
  'dry-run'?: boolean | undefined;
}

const DEFAULT_IMAGE = 'mitmproxy/mitmproxy:12.2.3';
const DEFAULT_TIMEOUT = '5m';

/** The command `on`: taps a Service, shows mitmproxy, and gives the Service back when the user quits. */
export async function on(argument: string, flags: OnFlags, mitmproxyArgs: string[]): Promise<void> {
  const request = requestOf(flags, mitmproxyArgs);
  const { kubectl: somewhere, name } = locate(new Kubectl(connectionOf(flags)), argument);
  const bench = benchOf(somewhere, flags);
  refuseWithoutTerminal(flags);
  const interrupts = listenForInterrupts();
  bench.signal = interrupts.signal;
  const service = await somewhere.get<Service>([`service/${name}`]);
  bench.kubectl = somewhere.in(service.metadata.namespace);
  const earlier = recordOf(service);
  if (earlier) refuseSecond(service, earlier, request.program);
  else request.ports = await askWhichPort(service, request.ports, interrupts.signal);
  if (flags['dry-run']) {
    process.stdout.write(await dryRun(bench, service, request));
    return;
  }
  const record =
    earlier && isTapped(service, earlier, request.ports) ? earlier : await tap(bench, service, request);
  tellOn(bench, service, record, record === earlier);
  if (flags.detach) {
    bench.talk.say(`attach ${name} shows it; off ${name} gives it back`);
    return;
  }
  bench.talk.say(`q gives it back; ${detachKeys()} leaves it on; attach ${name} comes back`);
  const session = { tmux: !flags['no-tmux'], interrupts, endsTap: record !== earlier };
  await show(bench, { kubectl: bench.kubectl, service, record }, session);
}

/**
 * Shows the session of a tap until it ends. `q` gives the Service back; leaving it otherwise leaves the tap on.
 * @param options.endsTap whether SIGINT and SIGTERM end the tap, as they do for whoever began it.
 */
export async function show(
  bench: Workbench,
  tapped: Tapped,
  options: { tmux: boolean; interrupts: Interrupts; endsTap: boolean },
): Promise<void> {
  const { name } = tapped.service.metadata;
  const { signal } = options.interrupts;
  const leave = new AbortController();
  // A tmux session outlives its terminal; without tmux there would be nothing to come back to.
  if (options.tmux || !options.endsTap) options.interrupts.onHangup(() => leave.abort());
  const ending = await view(tapped, { tmux: options.tmux, signal: AbortSignal.any([signal, leave.signal]) });
  if (ending === 'quit' || (signal.aborted && options.endsTap)) {
    const { signal: _, ...patient } = bench;
    await closeSession(tapped);
    await untapAndKeep(patient, name, tapped.record.id);
    bench.talk.say(`service/${name} is as it was`);
  } else if (ending === 'ended') {
    bench.talk.say(`service/${name} was given back by someone else`);
  } else {
    bench.talk.say(
      `service/${name} stays tapped; come back with: attach ${name}; give it back with: off ${name}`,
    );
  }
  if (signal.aborted) throw signal.reason;
}

/** What the user asked of a tap, checked before anything is read. */
export function requestOf(flags: OnFlags, mitmproxyArgs: string[]): TapRequest {
  const imagePullPolicy = flags['image-pull-policy'] ?? 'IfNotPresent';
  if (!['Always', 'IfNotPresent', 'Never'].includes(imagePullPolicy)) {
    throw new UsageError(`"${imagePullPolicy}" is no image pull policy`, 'Always, IfNotPresent or Never');
  }
  return {
    program: 'mitmproxy',
    ports: flags.port ?? [],
    https: flags.https ?? false,
    listenPort: flags['listen-port'] === undefined ? undefined : parsePort(flags['listen-port']),
    image: flags.image ?? process.env.MITTENS_IMAGE ?? DEFAULT_IMAGE,
    imagePullPolicy,
    mitmproxyArgs,
  };
}

/** The workbench of a command, before it is known where the Service is. */
export function benchOf(kubectl: Kubectl, flags: Pick<OnFlags, 'templates' | 'timeout'>): Workbench {
  return {
    kubectl,
    templates: new Templates(flags.templates),
    talk: talkOn(process.stderr),
    timeout: parseDuration(flags.timeout ?? DEFAULT_TIMEOUT),
  };
}

function refuseWithoutTerminal(flags: OnFlags): void {
  if (flags.detach || flags['dry-run'] || (process.stdin.isTTY && process.stdout.isTTY)) return;
  throw new UserError("mitmproxy's TUI needs a terminal, and this is none", {
    hint: 'use --detach, and attach later',
  });
}

export async function askWhichPort(
  service: Service,
  ports: string[],
  signal: AbortSignal,
): Promise<string[]> {
  const all = service.spec.ports ?? [];
  if (ports.length > 0 || all.length < 2 || !process.stdin.isTTY || !process.stderr.isTTY) return ports;
  return [await askForPort(`service/${service.metadata.name} has several ports`, all, signal)];
}

/** Whether a tap is on that has all the ports that are wanted now. */
function isTapped(service: Service, record: TapRecord, ports: string[]): boolean {
  if (record.phase !== 'on') return false;
  const wanted = ports.length > 0 ? choosePorts(service, ports) : [];
  return wanted.every(({ port }) => record.ports.some((tapped) => tapped.port === port));
}

function tellOn({ talk }: Workbench, service: Service, record: TapRecord, already: boolean): void {
  const { namespace, name } = service.metadata;
  const ports = choosePorts(
    service,
    record.ports.map(({ port }) => String(port)),
  );
  const what = `service/${name} in ${namespace}, port ${ports.map(describePort).join(', ')}`;
  talk.say(`${what}, is tapped${already ? ` already, by ${record.owner} since ${record.started}` : ''}`);
}
