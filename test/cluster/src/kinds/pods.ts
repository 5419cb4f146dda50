import type { Resource } from '../objects/resource.ts';
import { POD_COLUMNS } from './pod-columns.ts';
import { setPodDefaults } from './pod-defaults.ts';
import { POD_SPEC, POD_STATUS } from './pod-spec.ts';
import { validatePod } from './pod-validation.ts';

export const pods: Resource = {
  plural: 'pods',
  kind: 'Pod',
  group: '',
  version: 'v1',
  namespaced: true,
  shortNames: ['po'],
  inAll: true,
  subresources: ['status', 'ephemeralcontainers', 'eviction'],
  schema: { spec: POD_SPEC, status: POD_STATUS },
  columns: POD_COLUMNS,
  setDefaults: setPodDefaults,
  validate: validatePod,
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
