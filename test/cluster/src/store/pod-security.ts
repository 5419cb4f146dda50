import type { ContainerSpec } from '../objects/container-spec.ts';
import type { KubeObject } from '../objects/object.ts';
import { notImplemented } from '../objects/status.ts';

const LABEL = 'pod-security.kubernetes.io/enforce';

/**
 * The violation of a namespace's Pod Security Standard by a pod, as the admission plugin words it; undefined if there is
 * none. https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */
export function findViolation(namespace: KubeObject, pod: KubeObject): string | undefined {
  const level = namespace.metadata.labels?.[LABEL] ?? 'privileged';
  if (level === 'privileged') return undefined;
  if (level !== 'restricted') throw notImplemented(`the Pod Security Standard ${level}`);
  const { initContainers = [], containers: own, ephemeralContainers = [] } = pod.spec;
  const containers: ContainerSpec[] = [...initContainers, ...own, ...ephemeralContainers];
  const found = CHECKS.flatMap(({ title, allows, demand }) => {
    const bad = containers.filter((container) => !allows(container, pod.spec)).map(({ name }) => `"${name}"`);
    return bad.length === 0
      ? []
      : [`${title} (${demand(bad.length > 1 ? `containers ${bad.join(', ')}` : `container ${bad[0]}`)})`];
  });
  if (pod.spec.hostNetwork) found.unshift('host namespaces (hostNetwork=true)');
  return found.length > 0 ? `violates PodSecurity "restricted:latest": ${found.join(', ')}` : undefined;
}

interface Check {
  title: string;
  allows(container: ContainerSpec, spec: ContainerSpec): boolean;
  demand(who: string): string;
}

const CHECKS: Check[] = [
  {
    title: 'allowPrivilegeEscalation != false',
    allows: ({ securityContext }) => securityContext?.allowPrivilegeEscalation === false,
    demand: (who) => `${who} must set securityContext.allowPrivilegeEscalation=false`,
  },
  {
    title: 'unrestricted capabilities',
    allows: ({ securityContext }) => securityContext?.capabilities?.drop?.includes('ALL') === true,
    demand: (who) => `${who} must set securityContext.capabilities.drop=["ALL"]`,
  },
  {
    title: 'runAsNonRoot != true',
    allows: ({ securityContext }, spec) =>
      (securityContext?.runAsNonRoot ?? spec.securityContext?.runAsNonRoot) === true,
    demand: (who) => `pod or ${who} must set securityContext.runAsNonRoot=true`,
  },
  {
    title: 'seccompProfile',
    allows: ({ securityContext }, spec) => {
      const { type } = securityContext?.seccompProfile ?? spec.securityContext?.seccompProfile ?? {};
      return type === 'RuntimeDefault' || type === 'Localhost';
    },
    demand: (who) =>
      `pod or ${who} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  },
];
