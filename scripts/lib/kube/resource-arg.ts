import { UsageError } from '../util/error.ts';

type TargetKind = 'service' | 'pod' | 'deployment' | 'statefulset' | 'daemonset';

/** What is meant; the namespace only if the argument names it. */
export interface ResourceArg {
  namespace: string | undefined;
  kind: TargetKind;
  name: string;
}

/** As kubectl takes them. */
const KINDS: Record<TargetKind, string[]> = {
  service: ['svc', 'service', 'services'],
  pod: ['po', 'pod', 'pods'],
  deployment: ['deploy', 'deployment', 'deployments', 'deployment.apps', 'deployments.apps'],
  statefulset: ['sts', 'statefulset', 'statefulsets', 'statefulset.apps', 'statefulsets.apps'],
  daemonset: ['ds', 'daemonset', 'daemonsets', 'daemonset.apps', 'daemonsets.apps'],
};
/** Kinds that people may try, and that have no Service for certain. */
const OTHER_KINDS = ['rs', 'replicaset', 'replicasets', 'job', 'jobs', 'cj', 'cronjob', 'cronjobs'];
// RFC 1123 labels, which is what the API server wants of Services and namespaces; other objects may have dots.
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/**
 * Reads `web`, `svc/web`, `shop/web`, `pod/web-1`, `deploy/web`, `sts/web` or `ds/web`.
 * @throws UsageError for anything else, before it gets near a command line.
 */
export function parseResourceArg(argument: string): ResourceArg {
  const [first = '', second, ...rest] = argument.split('/');
  if (rest.length > 0)
    throw new UsageError(`"${argument}" is not a Service`, 'write web, svc/web or shop/web');
  if (second !== undefined && OTHER_KINDS.includes(first)) {
    throw new UsageError(
      `"${argument}" is not a Service`,
      'name a Service in front of it (kubectl get services), or one pod: pod/NAME',
    );
  }
  if (second === undefined) return { namespace: undefined, kind: 'service', name: checked(first, LABEL) };
  const kind = (Object.keys(KINDS) as TargetKind[]).find((kind) => KINDS[kind].includes(first));
  if (!kind) return { namespace: checked(first, LABEL), kind: 'service', name: checked(second, LABEL) };
  return { namespace: undefined, kind, name: checked(second, kind === 'service' ? LABEL : SUBDOMAIN) };
}

function checked(name: string, pattern: RegExp): string {
  if (pattern.test(name)) return name;
  throw new UsageError(
    `"${name}" is not a name that Kubernetes allows`,
    'names are lower case letters, digits and -',
  );
}
