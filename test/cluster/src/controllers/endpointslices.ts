import { type KubeObject, type Metadata, toOwnerReference } from '../objects/object.ts';
import { isLeaving, isReady } from '../objects/pod.ts';
import type { Registry } from '../store/registry.ts';
import { hashTemplate } from './revision.ts';
import {
  getsTraffic,
  groupByPorts,
  makeHostname,
  makeLabels,
  type ServicePort,
  targetRef,
} from './service-pods.ts';

type Slice = { addressType: 'IPv4'; endpoints: object[]; ports: object[] }[];

/** The EndpointSlice of a Service that selects no pods. */
export const EMPTY: Slice[number] = { addressType: 'IPv4', endpoints: [], ports: [] };

/** Makes a Service's slices, one for each set of port numbers of its pods. */
export function makeSlices(service: KubeObject, pods: KubeObject[]): Slice {
  return groupByPorts(service, pods).map(({ ports, pods }) => ({
    addressType: 'IPv4',
    ports: (ports as ServicePort[]).map((port) => ({ ...port, name: port.name ?? '' })),
    endpoints: pods.map((pod) => ({
      addresses: [pod.status.podIP],
      conditions: { ready: getsTraffic(service, pod), serving: isReady(pod), terminating: isLeaving(pod) },
      ...makeHostname(service, pod),
      nodeName: pod.spec.nodeName,
      targetRef: targetRef(pod),
    })),
  }));
}

/** Makes the slices of a Service without a selector from its hand-written Endpoints. */
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

/** Writes a Service's slices, and deletes those that are no longer needed. */
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

/** A name that looks generated, but is always the same for the same owner. */
function sliceName({ metadata }: KubeObject, index: number): string {
  return `${metadata.name}-${hashTemplate(`${metadata.uid}/${index}`).slice(0, 5)}`;
}

/** Creates or updates an object that belongs to a Service. */
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
