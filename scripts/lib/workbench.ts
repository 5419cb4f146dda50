import type { Kubectl } from './kubectl.ts';
import type { Talk } from './talk.ts';
import type { Templates } from './template.ts';

/** What a command needs to work on a Service's tap; `kubectl` is in the Service's namespace. */
export interface Workbench {
  kubectl: Kubectl;
  templates: Templates;
  talk: Talk;
  /** How long pods may take to roll, in seconds. */
  timeout: number;
  /** Ends the work early; what was changed is put back. */
  signal?: AbortSignal;
  /** Is called before the first change of a tap: until then there is nothing to put back. */
  onFirstChange?: () => void;
}
