import type { KubeObject } from '../objects/object.ts';
import type { Resource } from '../objects/resource.ts';
import { checkMetadata } from './check.ts';
import { AGE, NAME } from './columns.ts';
import { dnsLabel } from './names.ts';
import { CONDITIONS } from './pod-spec.ts';

/** Namespaces and nodes, which belong to no namespace. */

export const namespaces: Resource = {
  plural: 'namespaces',
  kind: 'Namespace',
  group: '',
  version: 'v1',
  namespaced: false,
  shortNames: ['ns'],
  subresources: ['status'],
  schema: {
    spec: { fields: { finalizers: { list: 'string' } } },
    status: { fields: { phase: 'string', conditions: CONDITIONS } },
  },
  validate: (object) => checkMetadata(object, dnsLabel),
  columns: [NAME, { name: 'Status', cell: ({ status }) => status?.phase ?? '' }, AGE],
  fieldSelectors: { 'status.phase': ({ status }) => status?.phase ?? '' },
};

const NODE_INFO = [
  'architecture',
  'bootID',
  'containerRuntimeVersion',
  'kernelVersion',
  'kubeProxyVersion',
  'kubeletVersion',
  'machineID',
  'operatingSystem',
  'osImage',
  'systemUUID',
];

export const nodes: Resource = {
  plural: 'nodes',
  kind: 'Node',
  group: '',
  version: 'v1',
  namespaced: false,
  shortNames: ['no'],
  subresources: ['status'],
  schema: {
    spec: { fields: { podCIDR: 'string', podCIDRs: { list: 'string' }, providerID: 'string' } },
    status: {
      fields: {
        addresses: { list: { fields: { type: 'string', address: 'string' } }, mergeKey: 'type' },
        capacity: { map: 'quantity' },
        allocatable: { map: 'quantity' },
        conditions: CONDITIONS,
        daemonEndpoints: { fields: { kubeletEndpoint: { fields: { Port: 'int' } } } },
        images: { list: { fields: { names: { list: 'string' }, sizeBytes: 'int' } } },
        nodeInfo: { fields: Object.fromEntries(NODE_INFO.map((field) => [field, 'string' as const])) },
      },
    },
  },
  validate: (object) => checkMetadata(object),
  columns: [
    NAME,
    { name: 'Status', cell: ({ status }) => readiness(status) },
    { name: 'Roles', cell: formatRoles },
    AGE,
    { name: 'Version', cell: ({ status }) => status?.nodeInfo?.kubeletVersion ?? '' },
    { name: 'Internal-IP', wide: true, cell: (node) => findAddress(node, 'InternalIP') },
    { name: 'External-IP', wide: true, cell: (node) => findAddress(node, 'ExternalIP') },
    { name: 'OS-Image', wide: true, cell: (node) => formatInfo(node, 'osImage') },
    { name: 'Kernel-Version', wide: true, cell: (node) => formatInfo(node, 'kernelVersion') },
    { name: 'Container-Runtime', wide: true, cell: (node) => formatInfo(node, 'containerRuntimeVersion') },
  ],
};

function readiness(status: KubeObject['status']): string {
  const ready = status?.conditions?.find(({ type }: { type: string }) => type === 'Ready');
  if (!ready) return 'Unknown';
  return ready.status === 'True' ? 'Ready' : 'NotReady';
}

function formatRoles({ metadata }: KubeObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const keys = Object.keys(metadata.labels ?? {}).filter((key) => key.startsWith(prefix));
  const roles = keys.map((key) => key.slice(prefix.length)).sort();
  return roles.join(',') || '<none>';
}

function findAddress({ status }: KubeObject, type: string): string {
  const found = status?.addresses?.find((address: { type: string }) => address.type === type);
  return found?.address ?? '<none>';
}

function formatInfo({ status }: KubeObject, field: string): string {
  return status?.nodeInfo?.[field] || '<unknown>';
}
