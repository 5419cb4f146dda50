import { listSidecars } from '../objects/container-spec.ts';
import { type KubeObject, matches } from '../objects/object.ts';
import { isLeaving, isReady } from '../objects/pod.ts';

/** Whether a Service selects a pod. */
export function selects({ spec, metadata }: KubeObject, pod: KubeObject): boolean {
  if (!spec.selector || metadata.namespace !== pod.metadata.namespace) return false;
  return matches({ matchLabels: spec.selector }, pod.metadata.labels);
}

export interface ServicePort {
  name?: string;
  port: number;
  protocol: string;
  targetPort: number | string;
  appProtocol?: string;
}

/** The number of a Service's targetPort in a pod; undefined if the pod has no port of that name. */
function portIn(pod: KubeObject, { targetPort, protocol }: ServicePort): number | undefined {
  if (typeof targetPort === 'number') return targetPort;
  for (const { ports = [] } of [...pod.spec.containers, ...listSidecars(pod.spec)]) {
    for (const { name, containerPort, protocol: own } of ports)
      if (name === targetPort && (own ?? 'TCP') === protocol) return containerPort;
  }
  return undefined;
}

/** Whether a pod gets a Service's traffic. */
export function getsTraffic({ spec }: KubeObject, pod: KubeObject): boolean {
  return spec.publishNotReadyAddresses === true || (isReady(pod) && !isLeaving(pod));
}

/** Groups pods by the numbers of their ports. */
export function groupByPorts(
  service: KubeObject,
  pods: KubeObject[],
): { ports: object[]; pods: KubeObject[] }[] {
  const groups = new Map<string, { ports: object[]; pods: KubeObject[] }>();
  for (const pod of pods) {
    const ports = ((service.spec.ports ?? []) as ServicePort[]).flatMap((port) => {
      const number = portIn(pod, port);
      const { name, protocol, appProtocol } = port;
      return number === undefined
        ? []
        : [{ ...(name && { name }), port: number, protocol, ...(appProtocol && { appProtocol }) }];
    });
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, pods: [] };
    groups.set(key, group);
    group.pods.push(pod);
  }
  return [...groups.values()].filter(({ ports }) => ports.length > 0);
}

/** An endpoint's reference to its pod. */
export function targetRef({ metadata: { name, namespace, uid } }: KubeObject): object {
  return { kind: 'Pod', name, namespace, uid };
}

/** The Service's labels, and a label that marks a headless one. */
export function makeLabels({ metadata, spec }: KubeObject): Record<string, string> {
  return { ...metadata.labels, ...(spec.clusterIP === 'None' && { 'service.kubernetes.io/headless': '' }) };
}

/** The pod's DNS name under the Service's name. */
export function makeHostname(service: KubeObject, { spec }: KubeObject): { hostname?: string } {
  return spec.hostname && spec.subdomain === service.metadata.name ? { hostname: spec.hostname } : {};
}
