import { kubectlCommand } from '../cli/to-run.ts';
import { UsageError } from '../util/error.ts';
import { message } from '../util/message.ts';

type TargetKind = 'service' | 'pod' | 'deployment' | 'statefulset' | 'daemonset';

/** An argument of a command. The namespace is undefined unless the argument has one. */
export interface ResourceArg {
  namespace: string | undefined;
  kind: TargetKind;
  name: string;
}

/** The names by which kubectl knows each kind. */
const KINDS: Record<TargetKind, string[]> = {
  service: ['svc', 'service', 'services'],
  pod: ['po', 'pod', 'pods'],
  deployment: ['deploy', 'deployment', 'deployments', 'deployment.apps', 'deployments.apps'],
  statefulset: ['sts', 'statefulset', 'statefulsets', 'statefulset.apps', 'statefulsets.apps'],
  daemonset: ['ds', 'daemonset', 'daemonsets', 'daemonset.apps', 'daemonsets.apps'],
};
/** Kinds that users may try, and that can't be tapped. */
const OTHER_KINDS = ['rs', 'replicaset', 'replicasets', 'job', 'jobs', 'cj', 'cronjob', 'cronjobs'];
// Services and namespaces have RFC 1123 labels as names; the names of other objects may have dots.
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/**
 * Parses `web`, `svc/web`, `shop/web`, `pod/web-1`, `deploy/web`, `sts/web` or `ds/web`.
 * @throws UsageError for anything else, so that it can't reach a command line.
 */
export function parseResourceArg(argument: string): ResourceArg {
  const [first = '', second, ...rest] = argument.split('/');
  if (rest.length > 0)
    throw new UsageError(`"${argument}" is not a Service`, 'write web, svc/web or shop/web');
  if (second !== undefined && OTHER_KINDS.includes(first)) {
    throw new UsageError(
      `"${argument}" is not a Service`,
      message`name one pod as pod/NAME, or a Service in front of it\nlist the Services: ${kubectlCommand(['get', 'services'])}`,
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
