import { formatter } from '../cli/caller.ts';
import type { Kubectl } from '../kube/kubectl.ts';
import { createLog, type Log } from '../util/log.ts';
import { parseDuration } from '../util/parse.ts';
import { Templates } from '../util/template.ts';

/** What a command needs to work on a Service's tap; `kubectl` is in the Service's namespace. */
export interface Context {
  kubectl: Kubectl;
  templates: Templates;
  log: Log;
  /** How long pods may take to roll, in seconds. */
  timeout: number;
  /** Ends the work early; what was changed is put back. */
  signal?: AbortSignal;
  /** Is called before the first change of a tap: until then there is nothing to put back. */
  onFirstChange?: () => void;
}

/** The flags that a context is made of. */
export interface ContextFlags {
  templates?: string | undefined;
  timeout?: string | undefined;
}

const DEFAULT_TIMEOUT = '5m';

/** The workbench of a command, before it is known where the Service is. */
export function createContext(kubectl: Kubectl, flags: ContextFlags): Context {
  return {
    kubectl,
    templates: new Templates(flags.templates),
    log: createLog(process.stderr, formatter({ ...kubectl.connection, templates: flags.templates })),
    timeout: parseDuration(flags.timeout ?? DEFAULT_TIMEOUT),
  };
}
