import { UsageError } from './error.ts';

/** Which Service is meant; the namespace only if the argument names it. */
export interface Target {
  namespace: string | undefined;
  service: string;
}

const SERVICE_KINDS = ['svc', 'service', 'services'];
const OTHER_KINDS = [
  ...['po', 'pod', 'pods', 'deploy', 'deployment', 'deployments', 'sts', 'statefulset', 'statefulsets'],
  ...[
    'ds',
    'daemonset',
    'daemonsets',
    'rs',
    'replicaset',
    'replicasets',
    'job',
    'jobs',
    'cronjob',
    'cronjobs',
  ],
];
// RFC 1123 labels, which is what the API server wants of both names.
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Reads `web`, `svc/web`, `service/web` or `shop/web`.
 * @throws UsageError for anything else, before it gets near a command line.
 */
export function parseTarget(argument: string): Target {
  const [first = '', second, ...rest] = argument.split('/');
  if (rest.length > 0)
    throw new UsageError(`"${argument}" is not a Service`, 'write web, svc/web or shop/web');
  if (second !== undefined && OTHER_KINDS.includes(first)) {
    throw new UsageError(
      `"${argument}" is not a Service`,
      'name a Service in front of it: kubectl get services',
    );
  }
  const named = second !== undefined && !SERVICE_KINDS.includes(first);
  const service = second ?? first;
  for (const name of named ? [first, service] : [service]) {
    if (!LABEL.test(name)) {
      throw new UsageError(
        `"${name}" is not a name that Kubernetes allows`,
        'names are lower case letters, digits and -',
      );
    }
  }
  return { namespace: named ? first : undefined, service };
}
