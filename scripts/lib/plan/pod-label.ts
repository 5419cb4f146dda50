import type { Service } from '../kube/objects.ts';

/**
 * Without a restart, a pod can be ready before it has a proxy. So the tapped Service selects only pods that have our
 * label. A pod gets the label when its proxy listens.
 */
const PREFIX = 'tap.mittens.dev/';

/** The key of the label by which a tapped Service selects its pods. The value is the id of the tap. */
export function labelKey(service: string): string {
  return `${PREFIX}${service}`;
}

/** The part of a merge patch that removes our labels from a selector or a pod. */
export function toRemovedLabels(labels: Record<string, string> = {}): Record<string, null> {
  return Object.fromEntries(
    Object.keys(labels)
      .filter(isOurs)
      .map((key) => [key, null]),
  );
}

/** The selector that a Service has without a tap. */
export function originalSelector({ spec }: Service): Record<string, string> {
  return Object.fromEntries(Object.entries(spec.selector ?? {}).filter(([key]) => !isOurs(key)));
}

function isOurs(key: string): boolean {
  return key.startsWith(PREFIX);
}
