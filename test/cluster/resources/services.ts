import type { Resource, Schema } from '../resource.ts';
import { AGE, NAME } from './columns.ts';
import { CONDITIONS } from './pod-spec.ts';

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
  columns: [NAME, AGE],
};
