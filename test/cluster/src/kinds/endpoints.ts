import type { KubeObject } from '../objects/object.ts';
import type { Resource, Schema } from '../objects/resource.ts';
import { checkMetadata } from './check.ts';
import { AGE, NAME } from './columns.ts';

const REFERENCE: Schema = {
  fields: {
    apiVersion: 'string',
    kind: 'string',
    name: 'string',
    namespace: 'string',
    uid: 'string',
    resourceVersion: 'string',
    fieldPath: 'string',
  },
};

const ADDRESSES: Schema = {
  list: { fields: { ip: 'string', hostname: 'string', nodeName: 'string', targetRef: REFERENCE } },
};

const PORTS: Schema = {
  list: { fields: { name: 'string', port: 'int', protocol: 'string', appProtocol: 'string' } },
};

interface Subset {
  addresses?: { ip: string }[];
  ports?: { port: number }[];
}

export const endpoints: Resource = {
  plural: 'endpoints',
  kind: 'Endpoints',
  group: '',
  version: 'v1',
  namespaced: true,
  shortNames: ['ep'],
  subresources: [],
  schema: {
    subsets: { list: { fields: { addresses: ADDRESSES, notReadyAddresses: ADDRESSES, ports: PORTS } } },
  },
  validate: (object) => checkMetadata(object),
  columns: [NAME, { name: 'Endpoints', cell: ({ subsets }) => some(listAddresses(subsets ?? [])) }, AGE],
  setDefaults: ({ subsets }) => {
    for (const { ports } of subsets ?? []) for (const port of ports ?? []) port.protocol ??= 'TCP';
  },
};

export const endpointslices: Resource = {
  plural: 'endpointslices',
  kind: 'EndpointSlice',
  group: 'discovery.k8s.io',
  version: 'v1',
  namespaced: true,
  shortNames: [],
  subresources: [],
  schema: {
    addressType: 'string',
    endpoints: {
      list: {
        fields: {
          addresses: { list: 'string' },
          conditions: { fields: { ready: 'bool', serving: 'bool', terminating: 'bool' } },
          hostname: 'string',
          nodeName: 'string',
          zone: 'string',
          targetRef: REFERENCE,
        },
      },
    },
    ports: PORTS,
  },
  validate: (object) => checkMetadata(object),
  columns: [
    NAME,
    { name: 'AddressType', cell: ({ addressType }) => addressType },
    {
      name: 'Ports',
      cell: ({ ports }) =>
        some(
          (ports ?? []).map(({ port }: KubeObject) => String(port)),
          '<unset>',
        ),
    },
    {
      name: 'Endpoints',
      cell: ({ endpoints }) =>
        some(
          (endpoints ?? []).flatMap(({ addresses }: { addresses: string[] }) => addresses),
          '<unset>',
        ),
    },
    AGE,
  ],
  setDefaults: ({ ports }) => {
    for (const port of ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
};

function listAddresses(subsets: Subset[]): string[] {
  return subsets.flatMap(({ addresses = [], ports }) => {
    if (!ports) return addresses.map(({ ip }) => ip);
    return ports.flatMap(({ port }) => addresses.map(({ ip }) => `${ip}:${port}`));
  });
}

/** Formats at most three endpoints, and how many more there are. */
function some(items: string[], none = '<none>'): string {
  if (items.length === 0) return none;
  const more = items.length - 3;
  return items.slice(0, 3).join(',') + (more > 0 ? ` + ${more} more...` : '');
}
