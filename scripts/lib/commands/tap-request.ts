import type { Flags, TapFlags } from '../cli/flags.ts';
import { mittensCommand } from '../cli/to-run.ts';
import { parseCpu, parseMemory } from '../kube/quantity.ts';
import { parseResourceArg } from '../kube/resource-arg.ts';
import { PROTOCOLS, type Protocol } from '../plan/protocol.ts';
import type { TapRequest } from '../plan/request.ts';
import { UsageError } from '../util/error.ts';
import { message } from '../util/message.ts';
import { parsePort } from '../util/parse.ts';
import { readSentFile } from './sent-file.ts';

const DEFAULT_IMAGE = 'mitmproxy/mitmproxy:12.2.3';

/**
 * Parses the flags of a tap, before the cluster is read.
 * @param argument the Service or pod.
 * @throws UsageError for a wrong value; UserError for a file that can't be sent.
 */
export function parseRequest(
  argument: string,
  flags: TapFlags & Pick<Flags<'on'>, 'isolate'>,
  program: TapRequest['program'],
  mitmproxyArgs: readonly string[],
): TapRequest {
  const repeated = ['modify-headers', 'modify-body', 'map-remote'] as const;
  return {
    ...parseMode(argument, flags),
    program,
    ports: flags.port ?? [],
    protocol: flags.protocol === undefined ? undefined : parseProtocol(flags.protocol),
    listenPort: flags['listen-port'] === undefined ? undefined : parsePort(flags['listen-port']),
    image: flags.image ?? process.env.MITTENS_IMAGE ?? DEFAULT_IMAGE,
    imagePullPolicy: parsePullPolicy(flags['image-pull-policy']),
    addsPorts: false,
    replacePods: flags['replace-pods'] ?? false,
    tlsSecret: parseSecretName(flags['tls-secret']),
    clientTlsSecret: parseSecretName(flags['client-tls-secret']),
    failClosed: flags['fail-closed'] ?? false,
    sample: flags.sample === undefined ? undefined : parsePercent(flags.sample),
    proxyCpu: parseProxyCpu(flags['proxy-cpu']),
    proxyMemory: parseProxyMemory(flags['proxy-memory']),
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

/** A pod can only get an ephemeral container. With `--isolate` it alone gets its Service's traffic. */
function parseMode(
  argument: string,
  flags: Pick<Flags<'on'>, 'isolate' | 'no-restart'>,
): Pick<TapRequest, 'mode' | 'pod'> {
  const { kind, name } = parseResourceArg(argument);
  const isPod = kind === 'pod';
  if (flags.isolate && !isPod)
    throw new UsageError(
      '--isolate is for one pod',
      message`name a pod: ${mittensCommand('on', ['pod/NAME'], { isolate: true })}`,
    );
  const mode = isPod || flags['no-restart'] ? 'ephemeral' : 'sidecar';
  return { mode, pod: flags.isolate ? name : undefined };
}

function parsePullPolicy(text = 'IfNotPresent'): string {
  if (['Always', 'IfNotPresent', 'Never'].includes(text)) return text;
  throw new UsageError(`"${text}" is not an image pull policy`, 'Always, IfNotPresent or Never');
}

/** `auto` is the default: the Service's declaration decides. */
function parseProtocol(text: string): Protocol | undefined {
  const protocol = PROTOCOLS.find((protocol) => protocol === text);
  if (!protocol) throw new UsageError(`"${text}" is not a protocol`, PROTOCOLS.join(', '));
  return protocol === 'auto' ? undefined : protocol;
}

/** Parses a share: `10%`, `0.5%`. @returns it in percent. */
function parsePercent(text: string): number {
  const share = Number(/^(\d+(?:\.\d+)?)%$/.exec(text)?.[1]);
  if (share > 0 && share <= 100) return share;
  throw new UsageError(`"${text}" is not a share of the connections`, 'more than 0% and at most 100%: 10%');
}

/** What the proxy's container asks Kubernetes for, in cores: templates/sidecar.yaml. */
const LEAST_CPU = 0.05;

function parseProxyCpu(text: string | undefined): string | undefined {
  if (text === undefined || parseCpu(text) >= LEAST_CPU) return text;
  throw new UsageError(`--proxy-cpu ${text} is too little for a proxy`, 'at least 50m');
}

/** mitmproxy's Python needs so much before its first connection, in bytes. */
const LEAST_MEMORY = 96 * 2 ** 20;

function parseProxyMemory(text: string | undefined): string | undefined {
  if (text === undefined || parseMemory(text) >= LEAST_MEMORY) return text;
  throw new UsageError(`--proxy-memory ${text} is too little for mitmproxy`, 'at least 96Mi');
}

/** Parses the name of a Secret: `NAME` or `secret/NAME`. */
function parseSecretName(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const name = text.replace(/^secret\//, '');
  if (/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name)) return name;
  throw new UsageError(
    `"${text}" is not the name of a Secret`,
    'names are lower case letters, digits, - and .',
  );
}
