import type { Service } from '../kube/objects.ts';

/**
 * Without a restart, a pod may be ready before it has a proxy. So a Service that is tapped in this way selects only
 * pods with a label of ours, which they get when their proxy listens.
 */
const PREFIX = 'tap.mittens.dev/';

/** The key of the label of the pods that get the traffic of a Service, by its name; its value is the tap's id. */
export function labelKey(service: string): string {
  return `${PREFIX}${service}`;
}

/** What takes labels of ours out of a selector, or off a pod, in a merge patch. */
export function removeOurLabels(labels: Record<string, string> = {}): Record<string, null> {
  return Object.fromEntries(
    Object.keys(labels)
      .filter(isOurs)
      .map((key) => [key, null]),
  );
}

/** What a Service selects when it is not tapped. */
export function originalSelector({ spec }: Service): Record<string, string> {
  return Object.fromEntries(Object.entries(spec.selector ?? {}).filter(([key]) => !isOurs(key)));
}

function isOurs(key: string): boolean {
  return key.startsWith(PREFIX);
}
