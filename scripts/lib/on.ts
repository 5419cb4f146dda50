import { connectionOf, parseDuration, parsePort } from './cli.ts';
import { UsageError, UserError } from './error.ts';
import { Forward } from './forward.ts';
import { type Interrupts, listenForInterrupts } from './interrupt.ts';
import { untapAndKeep } from './keep.ts';
import { type Connection, Kubectl } from './kubectl.ts';
import type { Service } from './kubernetes.ts';
import { locate, serviceOfPod } from './locate.ts';
import type { TapRequest } from './plan.ts';
import { choosePorts, describePort } from './port.ts';
import { askFor } from './prompt.ts';
import { PROTOCOLS, type Protocol } from './protocol.ts';
import { recordOf, type TapRecord } from './record.ts';
import { argumentOf, refuseSecond } from './refusal.ts';
import { readSentFile } from './sent-file.ts';
import { closeSession, detachKeys, type Ending, type Tapped, view } from './session.ts';
import { getSubject, isPod, subjectName } from './subject.ts';
import { talkOn } from './talk.ts';
import { dryRun, tap } from './tap.ts';
import { Templates } from './template.ts';
import { Watch } from './watch.ts';
import { keepWatch } from './watcher.ts';
import { viewOnWeb } from './web.ts';
import type { Workbench } from './workbench.ts';

/** The flags of what taps a Service. */
export interface TapFlags extends Connection {
  port?: string[] | undefined;
  protocol?: string | undefined;
  'no-restart'?: boolean | undefined;
  'replace-pods'?: boolean | undefined;
  'listen-port'?: string | undefined;
  'tls-secret'?: string | undefined;
  'client-tls-secret'?: string | undefined;
  forwarded?: boolean | undefined;
  'modify-headers'?: string[] | undefined;
  'modify-body'?: string[] | undefined;
  'map-remote'?: string[] | undefined;
  script?: string[] | undefined;
  replay?: string[] | undefined;
  image?: string | undefined;
  'image-pull-policy'?: string | undefined;
  templates?: string | undefined;
  timeout?: string | undefined;
}

export interface OnFlags extends TapFlags {
  intercept?: string | undefined;
  web?: boolean | undefined;
  isolate?: boolean | undefined;
  detach?: boolean | undefined;
  'watch-detached'?: boolean | undefined;
  'no-tmux'?: boolean | undefined;
  'dry-run'?: boolean | undefined;
}

const DEFAULT_IMAGE = 'mitmproxy/mitmproxy:12.2.3';
const DEFAULT_TIMEOUT = '5m';

/** The command `on`: taps a Service, shows mitmproxy, and gives the Service back when the user quits. */
export async function on(argument: string, flags: OnFlags, mitmproxyArgs: string[]): Promise<void> {
  refuseContradictions(flags);
  const intercept = flags.intercept === undefined ? [] : ['--intercept', flags.intercept];
  const request = requestOf(flags, flags.web ? 'mitmweb' : 'mitmproxy', [...intercept, ...mitmproxyArgs]);
  const bench = benchOf(new Kubectl(connectionOf(flags)), flags);
  const interrupts = listenForInterrupts();
  bench.signal = interrupts.signal;
  const { kubectl, name } = await subjectOf(argument, flags, request, interrupts.signal);
  refuseWithoutTerminal(flags);
  const service = await getSubject(kubectl, name);
  bench.kubectl = kubectl.in(service.metadata.namespace);
  refuseUnwatched(service, request, flags);
  const earlier = recordOf(service);
  if (earlier) {
    refuseSecond(service, earlier, request.program);
    keepAsBegun(bench, service, request);
  } else request.ports = await askWhichPort(service, request.ports, interrupts.signal);
  if (flags['dry-run']) {
    process.stdout.write(await dryRun(bench, service, request));
    return;
  }
  const record =
    earlier && isTapped(service, earlier, request.ports) ? earlier : await tap(bench, service, request);
  const tapped = { kubectl: bench.kubectl, service, record };
  tellOn(bench, service, record, record === earlier);
  const isOurs = record !== earlier;
  const inTmux = isOurs && needsWatch(tapped) && flags['watch-detached'];
  if (inTmux) await keepWatch(bench, tapped, flags);
  const argumentFor = argumentOf(service);
  if (flags.detach) {
    bench.talk.say(`attach ${argumentFor} shows it; off ${argumentFor} gives it back`);
    return;
  }
  const watch = isOurs && needsWatch(tapped) && !inTmux ? new Watch(bench, tapped).start() : undefined;
  await show(bench, tapped, { tmux: !flags['no-tmux'], interrupts, endsTap: isOurs, watch });
}

/** What is to be tapped; of a pod that is to be alone in getting its Service's traffic, that Service. */
async function subjectOf(
  argument: string,
  flags: OnFlags,
  request: TapRequest,
  signal: AbortSignal,
): Promise<{ kubectl: Kubectl; name: string }> {
  const { kubectl, name } = await locate(connectionOf(flags), argument, signal);
  if (!name.startsWith('pod/')) {
    if (flags.isolate) throw new UsageError('--isolate is for one pod', 'on pod/NAME --isolate');
    return { kubectl, name };
  }
  // A pod takes no container but an ephemeral one.
  request.mode = 'ephemeral';
  if (!flags.isolate) return { kubectl, name };
  request.pod = name.slice('pod/'.length);
  return { kubectl, name: await serviceOfPod(kubectl, name, signal) };
}

export interface ShowOptions {
  tmux: boolean;
  interrupts: Interrupts;
  /** Whether SIGINT and SIGTERM end the tap, as they do for whoever began it. */
  endsTap: boolean;
  /** Who watches over a tap without a restart, when it is this process: then the tap ends with it. */
  watch: Watch | undefined;
}

/** Shows a tap until the user leaves it. `q` gives the Service back; leaving it otherwise leaves the tap on. */
export async function show(bench: Workbench, tapped: Tapped, options: ShowOptions): Promise<void> {
  const { watch, interrupts, endsTap } = options;
  const { signal } = interrupts;
  const forward = isPod(tapped.service) ? await openForward(bench, tapped) : undefined;
  let ending = await viewUntilLeft(bench, tapped, options);
  if (ending === 'detached' && watch && !signal.aborted && !watch.failed.aborted) {
    const argument = argumentOf(tapped.service);
    bench.talk.say(`still watching over its pods; Ctrl-C gives it back; attach ${argument} shows it again`);
    await Promise.race([watch.untilOver(), aborted(signal), aborted(watch.failed)]);
    if (!signal.aborted && !watch.failed.aborted) ending = 'ended';
  }
  forward?.stop();
  const failed = watch?.failed.aborted ?? false;
  if (failed)
    bench.talk.say(`${messageOf(watch?.failed.reason)}; giving ${subjectName(tapped.service)} back ...`);
  await watch?.stop();
  if (ending === 'quit' || failed || (signal.aborted && endsTap)) await giveBack(bench, tapped);
  else tellLeft(bench, tapped, ending);
  if (signal.aborted) throw signal.reason;
  if (failed) throw watch?.failed.reason;
}

async function viewUntilLeft(
  bench: Workbench,
  tapped: Tapped,
  { tmux, interrupts, endsTap, watch }: ShowOptions,
): Promise<Ending> {
  const leave = new AbortController();
  // A tmux session outlives its terminal; without tmux there would be nothing to come back to.
  if ((tmux && !watch && tapped.record.program === 'mitmproxy') || !endsTap)
    interrupts.onHangup(() => leave.abort());
  const signal = AbortSignal.any([interrupts.signal, leave.signal, ...(watch ? [watch.failed] : [])]);
  const argument = argumentOf(tapped.service);
  if (tapped.record.program === 'mitmweb') {
    bench.talk.say(endsTap ? 'Ctrl-C gives it back' : `Ctrl-C leaves it on; off ${argument} gives it back`);
    return await viewOnWeb(tapped, signal);
  }
  const leaves = watch ? 'shows this terminal again' : 'leaves it on';
  bench.talk.say(`q gives it back; ${detachKeys()} ${leaves}; attach ${argument} comes back`);
  return await view(tapped, { tmux, talk: bench.talk, signal });
}

/** A tapped pod is reached past its Services: by a port of this machine that leads to its proxy. */
async function openForward(
  bench: Workbench,
  { kubectl, service, record }: Tapped,
): Promise<Forward | undefined> {
  const [tapped] = record.ports;
  if (!tapped) return undefined;
  const forward = new Forward(kubectl, service.metadata.name, tapped.listenPort);
  const port = await forward.start(tapped.port > 1023 ? tapped.port : undefined);
  bench.talk.say(
    `127.0.0.1:${port} leads through the proxy to port ${tapped.port} of ${subjectName(service)}`,
  );
  return forward;
}

async function giveBack(bench: Workbench, tapped: Tapped): Promise<void> {
  const { signal: _, ...patient } = bench;
  const name = subjectName(tapped.service);
  await closeSession(tapped);
  await untapAndKeep(patient, name, tapped.record.id);
  bench.talk.say(`${name} is as it was`);
}

function tellLeft({ talk }: Workbench, { service }: Tapped, ending: Ending): void {
  const name = subjectName(service);
  const argument = argumentOf(service);
  if (ending === 'ended') talk.say(`${name} was given back by someone else`);
  else
    talk.say(`${name} stays tapped; come back with: attach ${argument}; give it back with: off ${argument}`);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

/** Whether pods that come would have no proxy unless somebody puts it there, and so no traffic. */
export function needsWatch({ service, record }: Omit<Tapped, 'kubectl'>): boolean {
  return record.mode === 'ephemeral' && !isPod(service);
}

/** What the user asked of a tap, checked before anything is read. */
export function requestOf(
  flags: TapFlags,
  program: TapRequest['program'],
  mitmproxyArgs: string[],
): TapRequest {
  const imagePullPolicy = flags['image-pull-policy'] ?? 'IfNotPresent';
  if (!['Always', 'IfNotPresent', 'Never'].includes(imagePullPolicy)) {
    throw new UsageError(`"${imagePullPolicy}" is no image pull policy`, 'Always, IfNotPresent or Never');
  }
  const repeated = ['modify-headers', 'modify-body', 'map-remote'] as const;
  return {
    mode: flags['no-restart'] ? 'ephemeral' : 'sidecar',
    program,
    ports: flags.port ?? [],
    protocol: flags.protocol === undefined ? undefined : protocolNamed(flags.protocol),
    listenPort: flags['listen-port'] === undefined ? undefined : parsePort(flags['listen-port']),
    image: flags.image ?? process.env.MITTENS_IMAGE ?? DEFAULT_IMAGE,
    imagePullPolicy,
    addsPorts: false,
    pod: undefined,
    replacePods: flags['replace-pods'] ?? false,
    tlsSecret: secretNamed(flags['tls-secret']),
    clientTlsSecret: secretNamed(flags['client-tls-secret']),
    forwarded: flags.forwarded ?? false,
    files: [
      ...(flags.script ?? []).map((path) => readSentFile('--scripts', path)),
      ...(flags.replay ?? []).map((path) => readSentFile('--server-replay', path)),
    ],
    mitmproxyArgs: [
      ...repeated.flatMap((name) => (flags[name] ?? []).flatMap((value) => [`--${name}`, value])),
      ...mitmproxyArgs,
    ],
  };
}

/** `auto`, as the one that is meant when none is named, is left to what the Service says. */
function protocolNamed(text: string): Protocol | undefined {
  const protocol = PROTOCOLS.find((protocol) => protocol === text);
  if (!protocol) throw new UsageError(`"${text}" is no protocol`, PROTOCOLS.join(', '));
  return protocol === 'auto' ? undefined : protocol;
}

/** A Secret's name, or `secret/NAME`. */
function secretNamed(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const name = text.replace(/^secret\//, '');
  if (/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name)) return name;
  throw new UsageError(
    `"${text}" is not the name of a Secret`,
    'names are lower case letters, digits, - and .',
  );
}

/** The workbench of a command, before it is known where the Service is. */
export function benchOf(kubectl: Kubectl, flags: Pick<TapFlags, 'templates' | 'timeout'>): Workbench {
  return {
    kubectl,
    templates: new Templates(flags.templates),
    talk: talkOn(process.stderr),
    timeout: parseDuration(flags.timeout ?? DEFAULT_TIMEOUT),
  };
}

function refuseContradictions(flags: OnFlags): void {
  if (flags['watch-detached'] && flags['no-tmux'])
    throw new UsageError('--watch-detached keeps its watcher in tmux', 'leave out --no-tmux');
  if (flags.web && flags['no-tmux'])
    throw new UsageError(
      '--no-tmux is for the terminal, and --web shows nothing there',
      'leave out one of them',
    );
}

function refuseWithoutTerminal(flags: OnFlags): void {
  if (flags.detach || flags.web || flags['dry-run'] || (process.stdin.isTTY && process.stdout.isTTY)) return;
  throw new UserError("mitmproxy's TUI needs a terminal, and this is none", {
    hint: 'use --detach, and attach later',
  });
}

/** @throws UserError for a tap that is to be left alone, in which pods that come would get no traffic. */
function refuseUnwatched(service: Service, { mode }: TapRequest, flags: OnFlags): void {
  if (mode === 'sidecar' || isPod(service) || !flags.detach || flags['watch-detached']) return;
  throw new UserError(
    'without a restart, pods that come get the proxy, and traffic, only while somebody watches over the tap',
    { hint: 'add --watch-detached, which keeps a watcher in tmux; or leave out --detach' },
  );
}

/** A tap has one way with its traffic, as all who look at it see the same: the one that it began with. */
function keepAsBegun({ talk }: Workbench, service: Service, request: TapRequest): void {
  const { files, mitmproxyArgs, forwarded, tlsSecret, clientTlsSecret } = request;
  const asks = files.length + mitmproxyArgs.length > 0 || forwarded || tlsSecret || clientTlsSecret;
  if (asks) {
    const name = subjectName(service);
    const how = `to begin anew: off ${argumentOf(service)}`;
    talk.say(
      `note: ${name} is tapped already, and what is done to its traffic stays as it was begun; ${how}`,
    );
  }
  const nothing = { files: [], mitmproxyArgs: [], forwarded: false };
  Object.assign(request, nothing, { addsPorts: true, tlsSecret: undefined, clientTlsSecret: undefined });
}

export async function askWhichPort(
  service: Service,
  ports: string[],
  signal: AbortSignal,
): Promise<string[]> {
  const all = service.spec.ports ?? [];
  if (ports.length > 0 || all.length < 2) return ports;
  const numbers = all.map(({ port }) => String(port));
  const question = `${subjectName(service)} has several ports`;
  const answer = await askFor(question, numbers, signal, all.map(describePort));
  return answer === undefined ? [] : [answer];
}

/** Whether a tap is on that has all the ports that are wanted now. */
function isTapped(service: Service, record: TapRecord, ports: string[]): boolean {
  if (record.phase !== 'on') return false;
  const wanted = ports.length > 0 ? choosePorts(service, ports) : [];
  return wanted.every(({ port }) => record.ports.some((tapped) => tapped.port === port));
}

function tellOn({ talk }: Workbench, service: Service, record: TapRecord, already: boolean): void {
  const ports = choosePorts(
    service,
    record.ports.map(({ port }) => String(port)),
  );
  const what = `${subjectName(service)} in ${service.metadata.namespace}, port ${ports.map(describePort).join(', ')}`;
  talk.say(`${what}, is tapped${already ? ` already, by ${record.owner} since ${record.started}` : ''}`);
}
