import { type KubeObject, type Metadata, toOwnerReference } from '../objects/object.ts';
import { isLeaving, isReady } from '../objects/pod.ts';
import type { Registry } from '../store/registry.ts';
import { hashTemplate } from './revision.ts';
import { byPorts, counts, hostnameIn, makeLabels, type ServicePort, targetRef } from './service-pods.ts';

type Slice = { addressType: 'IPv4'; endpoints: object[]; ports: object[] }[];

/** What a Service has that selects no pods. */
export const EMPTY: Slice[number] = { addressType: 'IPv4', endpoints: [], ports: [] };

/** The slices of a Service, one for each set of port numbers that its pods have. */
export function makeSlices(service: KubeObject, pods: KubeObject[]): Slice {
  return byPorts(service, pods).map(({ ports, pods }) => ({
    addressType: 'IPv4',
    ports: (ports as ServicePort[]).map((port) => ({ ...port, name: port.name ?? '' })),
    endpoints: pods.map((pod) => ({
      addresses: [pod.status.podIP],
      conditions: { ready: counts(service, pod), serving: isReady(pod), terminating: isLeaving(pod) },
      ...hostnameIn(service, pod),
      nodeName: pod.spec.nodeName,
      targetRef: targetRef(pod),
    })),
  }));
}

/** The slices of a Service that has no selector are made from the Endpoints that someone wrote. */
export function mirror(registry: Registry, service: KubeObject): void {
  const endpoints = registry.find('endpoints', service.metadata.namespace, service.metadata.name);
  const slices = (endpoints?.subsets ?? []).map(({ addresses, notReadyAddresses, ports = [] }: Subset) => ({
    addressType: 'IPv4',
    ports: ports.map((port) => ({ ...port, name: port.name ?? '' })),
    endpoints: [...mirrored(addresses, true), ...mirrored(notReadyAddresses, false)],
  }));
  putSlices(registry, endpoints ?? service, slices);
}

interface Subset {
  addresses?: { ip: string }[];
  notReadyAddresses?: { ip: string }[];
  ports?: ServicePort[];
}

function mirrored(addresses: { ip: string }[] = [], ready: boolean): object[] {
  return addresses.map(({ ip, ...rest }) => ({ addresses: [ip], conditions: { ready }, ...rest }));
}

const SERVICE_NAME = 'kubernetes.io/service-name';

/** Slices for each set of port numbers, made from a Service's pods or by its hand-made Endpoints; no others stay. */
export function putSlices(registry: Registry, owner: KubeObject, slices: Slice): void {
  const { name, namespace } = owner.metadata;
  const maker = owner.kind === 'Service' ? 'endpointslice' : 'endpointslicemirroring';
  const labels = {
    ...(owner.kind === 'Service' ? makeLabels(owner) : owner.metadata.labels),
    'endpointslice.kubernetes.io/managed-by': `${maker}-controller.k8s.io`,
    [SERVICE_NAME]: name,
  };
  const names = slices.map((_, index) => sliceName(owner, index));
  slices.forEach((slice, index) => {
    const metadata = { name: sliceName(owner, index), generateName: `${name}-`, labels };
    put(
      registry,
      'endpointslices',
      owner,
      { ...metadata, ownerReferences: [toOwnerReference(owner)] },
      slice,
    );
  });
  for (const slice of registry.list('endpointslices', namespace))
    if (slice.metadata.labels?.[SERVICE_NAME] === name && !names.includes(slice.metadata.name))
      registry.delete('endpointslices', slice);
}

/** Looks like a generated name, but is the same for the same owner. */
function sliceName({ metadata }: KubeObject, index: number): string {
  return `${metadata.name}-${hashTemplate(`${metadata.uid}/${index}`).slice(0, 5)}`;
}

/** Makes an object of a Service's, or writes anew what it says. */
export function put(
  registry: Registry,
  plural: string,
  { metadata: { namespace = '' } }: KubeObject,
  metadata: Partial<Metadata> & { name: string; labels: Record<string, string> },
  content: object,
): void {
  const old = registry.find(plural, namespace, metadata.name);
  if (!old) registry.create(plural, { metadata: { ...metadata, namespace }, ...content });
  else
    registry.modify(plural, old, (draft) => {
      draft.metadata.labels = metadata.labels;
      Object.assign(draft, content);
    });
}
