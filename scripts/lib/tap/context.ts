import { formatter } from '../cli/caller.ts';
import { type Connection, Kubectl, toConnection } from '../kube/kubectl.ts';
import { createLog, type Log } from '../util/log.ts';
import { parseDuration } from '../util/parse.ts';
import { Templates } from '../util/template.ts';

/** What a command needs to work on a tap. */
export interface Context {
  /** In the namespace of the Service, as soon as that is known. */
  readonly kubectl: Kubectl;
  readonly templates: Templates;
  readonly log: Log;
  /** How long pods may take to roll, in seconds. */
  readonly timeout: number;
  /** Ends the work early; changes are rolled back. */
  readonly signal?: AbortSignal;
  /** Is called before the first change to the cluster. Until then there is nothing to restore. */
  readonly onFirstChange?: () => void;
}

/** The flags that a context is made of. */
export interface ContextFlags extends Connection {
  templates?: string | undefined;
  timeout?: string | undefined;
}

const DEFAULT_TIMEOUT = '5m';

/**
 * The context of a command, before the namespace of the Service is known.
 * @throws UserError for a timeout or a templates folder that is wrong.
 */
export function createContext(
  flags: ContextFlags,
  options: Pick<Context, 'signal' | 'onFirstChange'> = {},
): Context {
  const kubectl = new Kubectl(toConnection(flags));
  const templates = new Templates(flags.templates);
  const timeout = parseDuration(flags.timeout ?? DEFAULT_TIMEOUT);
  return { kubectl, templates, log: createContextLog(kubectl, templates), timeout, ...options };
}

/** The same context in another namespace. Commands in its messages name that namespace. */
export function inNamespace(context: Context, namespace: string): Context {
  const kubectl = context.kubectl.in(namespace);
  return { ...context, kubectl, log: createContextLog(kubectl, context.templates) };
}

/** The same context for work that an interrupt must not end: restoring a Service. */
export function withoutSignal({ signal: _, ...context }: Context): Context {
  return context;
}

function createContextLog({ connection }: Kubectl, { folder }: Templates): Log {
  return createLog(process.stderr, formatter({ ...connection, templates: folder }));
}
