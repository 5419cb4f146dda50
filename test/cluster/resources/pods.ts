import type { Resource } from '../resource.ts';
import { AGE, NAME } from './columns.ts';
import { POD_SPEC, POD_STATUS } from './pod-spec.ts';

export const pods: Resource = {
  plural: 'pods',
  kind: 'Pod',
  group: '',
  version: 'v1',
  namespaced: true,
  shortNames: ['po'],
  inAll: true,
  subresources: ['status'],
  schema: { spec: POD_SPEC, status: POD_STATUS },
  columns: [NAME, AGE],
  fieldSelectors: {
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec.hostNetwork ?? false),
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIP ?? '',
    'status.nominatedNodeName': () => '',
  },
};
