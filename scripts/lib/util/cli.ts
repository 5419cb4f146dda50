import { parseArgs } from 'node:util';
import type { Connection } from '../kube/kubectl.ts';
import { Interrupted, UsageError, UserError } from './error.ts';
import { exitCodeOf } from './interrupt.ts';
import { printable } from './log.ts';

type Flags = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;
type Values<F extends Flags> = ReturnType<typeof parseArgs<{ options: F; strict: true }>>['values'];

/** The flags that every command shares with kubectl. */
export const CONNECTION_FLAGS = {
  namespace: { type: 'string', short: 'n' },
  context: { type: 'string' },
  kubeconfig: { type: 'string' },
  as: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies Flags;

export const CONNECTION_HELP = `  -n, --namespace NS    where the Service is (default: the context's namespace)
      --context NAME    the kubeconfig context to use
      --kubeconfig FILE the kubeconfig file to use
      --as USER         the user to impersonate
  -h, --help            this text`;

/** The flags of what taps a Service. */
export const TAP_FLAGS = {
  port: { type: 'string', short: 'p', multiple: true },
  protocol: { type: 'string' },
  'no-restart': { type: 'boolean' },
  'replace-pods': { type: 'boolean' },
  'listen-port': { type: 'string' },
  'tls-secret': { type: 'string' },
  'client-tls-secret': { type: 'string' },
  forwarded: { type: 'boolean' },
  'modify-headers': { type: 'string', multiple: true },
  'modify-body': { type: 'string', multiple: true },
  'map-remote': { type: 'string', multiple: true },
  script: { type: 'string', multiple: true },
  replay: { type: 'string', multiple: true },
  image: { type: 'string' },
  'image-pull-policy': { type: 'string' },
  templates: { type: 'string' },
  timeout: { type: 'string' },
} as const satisfies Flags;

export const TAP_HELP = `  -p, --port PORT       number or name of the Service's port; more than once for several
      --protocol P      auto (default: by how each connection begins), http, https, h2c or tcp
      --no-restart      put the proxy into the pods that run, as an ephemeral container
      --replace-pods    evict, one at a time, pods that do not follow their template by themselves
      --listen-port N   where the proxy listens in the pods (default: 7777, or the next that is free)
      --tls-secret S    show clients the certificate of this Secret, the app's own
      --client-tls-secret S   show the app the certificate of this Secret
      --forwarded       tell the app who asks, and how: X-Forwarded-For, X-Forwarded-Proto
      --modify-headers, --modify-body, --map-remote PATTERN   as mitmproxy has them
      --script FILE     a mitmproxy script, which is sent along
      --replay FLOWS    answer from a flow file what is in it
      --image IMAGE     mitmproxy's image (default: $MITTENS_IMAGE, or mitmproxy/mitmproxy:12.2.3)
      --image-pull-policy P   Always, IfNotPresent (default) or Never
      --templates DIR   your own templates, which win over the built-in ones file by file
      --timeout T       how long pods may take to roll, or the proxy to listen: 90s, 5m (default), 1h`;

export interface CommandLine<F extends Flags> {
  values: Values<F>;
  /** What stands before \`--\`. */
  positionals: string[];
  /** What stands after it. */
  rest: string[];
}

/**
 * Reads a command line. `--help` prints the usage on stdout and ends the process.
 * @throws UsageError for a flag that there is not, or one without its value.
 */
export function parseCommandLine<F extends Flags>(usage: string, options: F): CommandLine<F> {
  const args = process.argv.slice(2);
  const end = args.indexOf('--');
  const [own, rest] = end < 0 ? [args, []] : [args.slice(0, end), args.slice(end + 1)];
  try {
    const { values, positionals } = parseArgs({ args: own, options, allowPositionals: true, strict: true });
    if ((values as { help?: boolean }).help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    return { values: values as Values<F>, positionals, rest };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(error.message.split('. ')[0] ?? error.message, 'see --help');
  }
}

export function connectionOf(values: Connection): Connection {
  const { namespace, context, kubeconfig, as } = values;
  return { namespace, context, kubeconfig, as };
}

/** The one argument of a command that takes one. */
export function onlyArgument(positionals: string[]): string {
  const [argument, ...more] = positionals;
  if (!argument) throw new UsageError('which Service?', 'kubectl get services');
  if (more.length > 0) throw new UsageError(`one Service at a time: ${positionals.join(' ')}`);
  return argument;
}

/** A duration as kubectl takes it, `90s`, `5m` or `1h`, in seconds; a bare number is seconds. */
export function parseDuration(text: string): number {
  const [, number, unit = 's'] = /^(\d{1,6})(s|m|h)?$/.exec(text) ?? [];
  const seconds = Number(number) * ({ s: 1, m: 60, h: 3600 }[unit] ?? Number.NaN);
  if (!(seconds > 0)) throw new UsageError(`"${text}" is not a duration`, 'write 90s, 5m or 1h');
  return seconds;
}

/** A size in bytes, as `du` and `curl` take it: `500`, `64k`, `10m` or `1g`, by 1024. */
export function parseSize(text: string): number {
  const [, number, unit = ''] = /^(\d{1,12})([kmg])?$/i.exec(text) ?? [];
  const factor = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[unit.toLowerCase()] ?? Number.NaN;
  const bytes = number === undefined ? Number.NaN : Number(number) * factor;
  if (!Number.isSafeInteger(bytes))
    throw new UsageError(`"${text}" is not a size`, 'write 500, 64k, 10m or 1g');
  return bytes;
}

/** A TCP port's number. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) {
    throw new UsageError(`"${text}" is not a port number`, 'it is from 1 to 65535');
  }
  return port;
}

/** Runs a command to its end, and turns what it throws into words and an exit code. */
export async function run(command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    if (error instanceof Interrupted) {
      process.exitCode = exitCodeOf(error.signal);
    } else if (error instanceof UserError) {
      process.stderr.write(
        `${printable(/^(error|Error)/.test(error.message) ? error.message : `error: ${error.message}`)}\n`,
      );
      if (error.hint) process.stderr.write(`hint: ${printable(error.hint)}\n`);
      process.exitCode = error.exitCode;
    } else {
      throw error;
    }
  }
}
