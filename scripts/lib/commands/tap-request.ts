import type { Flags, TapFlags } from '../cli/flags.ts';
import { mittensCommand } from '../cli/to-run.ts';
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
