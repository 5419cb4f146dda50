import type { Controller } from '../controller.ts';
import { controlledBy, type KubeObject, matches } from '../object.ts';
import type { Registry } from '../registry.ts';
import { resourceOf } from '../resources/index.ts';
import { hasEnded, isLeaving, isReady } from './pods.ts';

/** Where a Service's traffic goes: its Endpoints and its one EndpointSlice, from the pods that it selects. */
export const endpointsController: Controller = {
  resource: resourceOf('services'),
  concerns({ resource, object, old }, registry) {
    if (resource.plural === 'services') return [object];
    if (resource.plural === 'endpoints') return sameName(registry, object);
    if (resource.plural !== 'pods') return [];
    return registry
      .list('services', object.metadata.namespace)
      .filter((service) => selects(service, object) || (old && selects(service, old)));
  },
  reconcile(service, registry) {
    if (service.spec.type === 'ExternalName') return undefined;
    if (service.spec.selector) {
      const pods = registry
        .list('pods', service.metadata.namespace)
        .filter((pod) => selects(service, pod) && pod.status?.podIP && !hasEnded(pod));
      put(
        registry,
        'endpoints',
        service,
        { name: service.metadata.name },
        { subsets: subsetsOf(service, pods) },
      );
      putSlice(registry, service, sliceOf(service, pods));
    } else mirror(registry, service);
    return undefined;
  },
};

function sameName(registry: Registry, { metadata: { namespace, name } }: KubeObject): KubeObject[] {
  const service = registry.find('services', namespace, name);
  return service ? [service] : [];
}

function selects({ spec, metadata }: KubeObject, pod: KubeObject): boolean {
  if (!spec.selector || metadata.namespace !== pod.metadata.namespace) return false;
  return matches({ matchLabels: spec.selector }, pod.metadata.labels);
}

interface ServicePort {
  name?: string;
  port: number;
  protocol: string;
  targetPort: number | string;
  appProtocol?: string;
}

/** The number of a Service's targetPort in a pod; undefined when the pod has no port of that name. */
function portIn(pod: KubeObject, { targetPort, protocol }: ServicePort): number | undefined {
  if (typeof targetPort === 'number') return targetPort;
  for (const { ports = [] } of pod.spec.containers) {
    for (const { name, containerPort, protocol: own } of ports)
      if (name === targetPort && (own ?? 'TCP') === protocol) return containerPort;
  }
  return undefined;
}

function counts({ spec }: KubeObject, pod: KubeObject): boolean {
  return spec.publishNotReadyAddresses === true || (isReady(pod) && !isLeaving(pod));
}

/** Pods with the same numbers for all ports, together. */
function byPorts(service: KubeObject, pods: KubeObject[]): { ports: object[]; pods: KubeObject[] }[] {
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

function targetRef({ metadata: { name, namespace, uid } }: KubeObject): object {
  return { kind: 'Pod', name, namespace, uid };
}

function subsetsOf(service: KubeObject, pods: KubeObject[]): object[] {
  const present = pods.filter((pod) => !isLeaving(pod) || service.spec.publishNotReadyAddresses);
  return byPorts(service, present).map(({ ports, pods }) => {
    const address = (pod: KubeObject) => ({
      ip: pod.status.podIP,
      nodeName: pod.spec.nodeName,
      targetRef: targetRef(pod),
    });
    const ready = pods.filter((pod) => counts(service, pod)).map(address);
    const notReady = pods.filter((pod) => !counts(service, pod)).map(address);
    return {
      ...(ready.length > 0 && { addresses: ready }),
      ...(notReady.length > 0 && { notReadyAddresses: notReady }),
      ports,
    };
  });
}

type Slice = { addressType: 'IPv4'; endpoints: object[]; ports: object[] }[];

function sliceOf(service: KubeObject, pods: KubeObject[]): Slice {
  return byPorts(service, pods).map(({ ports, pods }) => ({
    addressType: 'IPv4',
    ports: (ports as ServicePort[]).map((port) => ({ ...port, name: port.name ?? '' })),
    endpoints: pods.map((pod) => ({
      addresses: [pod.status.podIP],
      conditions: { ready: counts(service, pod), serving: isReady(pod), terminating: isLeaving(pod) },
      nodeName: pod.spec.nodeName,
      targetRef: targetRef(pod),
    })),
  }));
}

/** The slices of a Service that has no selector are made from the Endpoints that someone wrote. */
function mirror(registry: Registry, service: KubeObject): void {
  const endpoints = registry.find('endpoints', service.metadata.namespace, service.metadata.name);
  const slices = (endpoints?.subsets ?? []).map(({ addresses = [], ports = [] }: KubeObject) => ({
    addressType: 'IPv4',
    ports: ports.map((port: ServicePort) => ({ ...port, name: port.name ?? '' })),
    endpoints: addresses.map(({ ip }: { ip: string }) => ({ addresses: [ip], conditions: { ready: true } })),
  }));
  putSlice(registry, service, slices);
}

/** One slice for each set of port numbers; one without endpoints when there is none. */
function putSlice(registry: Registry, service: KubeObject, slices: Slice): void {
  const { name, namespace } = service.metadata;
  const wanted: Slice = slices.length > 0 ? slices : [{ addressType: 'IPv4', endpoints: [], ports: [] }];
  const labels = {
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    'kubernetes.io/service-name': name,
  };
  wanted.forEach((slice, index) => {
    put(registry, 'endpointslices', service, { name: sliceName(service, index), labels }, slice);
  });
  const surplus = registry
    .list('endpointslices', namespace)
    .filter(
      ({ metadata }) =>
        metadata.labels?.['kubernetes.io/service-name'] === name &&
        !wanted.some((_, index) => metadata.name === sliceName(service, index)),
    );
  for (const slice of surplus) registry.delete('endpointslices', slice);
}

function sliceName({ metadata }: KubeObject, index: number): string {
  return `${metadata.name}-${metadata.uid.slice(0, 4)}${index}`;
}

function put(
  registry: Registry,
  plural: string,
  service: KubeObject,
  metadata: { name: string; labels?: Record<string, string> },
  content: object,
): void {
  const { namespace = '' } = service.metadata;
  const own = { ...metadata, namespace, ownerReferences: [controlledBy(service)] };
  const old = registry.find(plural, namespace, metadata.name);
  if (old) registry.modify(plural, old, (draft) => Object.assign(draft, content));
  else registry.create(plural, { metadata: own, ...content });
}
