import type { Resource, Schema } from '../objects/resource.ts';
import { AGE, labelsText, NAME } from './columns.ts';
import { CONDITIONS } from './pod-spec.ts';
import { setServiceDefaults, validateService } from './service-validation.ts';

const SPEC: Schema = {
  fields: {
    type: 'string',
    selector: { map: 'string' },
    ports: {
      list: {
        fields: {
          name: 'string',
          protocol: 'string',
          appProtocol: 'string',
          port: 'int',
          targetPort: 'intOrString',
          nodePort: 'int',
        },
      },
      mergeKey: 'port',
    },
    clusterIP: 'string',
    clusterIPs: { list: 'string' },
    externalName: 'string',
    sessionAffinity: 'string',
    publishNotReadyAddresses: 'bool',
    internalTrafficPolicy: 'string',
    ipFamilies: { list: 'string' },
    ipFamilyPolicy: 'string',
  },
};

export const services: Resource = {
  plural: 'services',
  kind: 'Service',
  group: '',
  version: 'v1',
  namespaced: true,
  shortNames: ['svc'],
  inAll: true,
  subresources: ['status'],
  schema: { spec: SPEC, status: { fields: { loadBalancer: { fields: {} }, conditions: CONDITIONS } } },
  columns: [
    NAME,
    { name: 'Type', cell: ({ spec }) => spec.type },
    { name: 'Cluster-IP', cell: ({ spec }) => spec.clusterIP || '<none>' },
    {
      name: 'External-IP',
      cell: ({ spec }) => (spec.type === 'ExternalName' && spec.externalName) || '<none>',
    },
    { name: 'Port(s)', cell: ({ spec }) => portsText(spec.ports ?? []) },
    AGE,
    { name: 'Selector', wide: true, cell: ({ spec }) => labelsText(spec.selector ?? {}) || '<none>' },
  ],
  fieldSelectors: {
    'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '',
    'spec.type': ({ spec }) => spec.type ?? '',
  },
  setDefaults: setServiceDefaults,
  validate: validateService,
};

function portsText(ports: { port: number; protocol: string }[]): string {
  return ports.map(({ port, protocol }) => `${port}/${protocol}`).join(',') || '<none>';
}
