import type { Column, Resource, Schema } from '../objects/resource.ts';
import { AGE, CONTAINERS, NAME, SELECTOR } from './columns.ts';
import { CONDITIONS, LABEL_SELECTOR, POD_TEMPLATE } from './pod-spec.ts';
import {
  setDaemonSetDefaults,
  setDeploymentDefaults,
  setReplicaSetDefaults,
  setStatefulSetDefaults,
} from './workload-defaults.ts';
import {
  validateDaemonSet,
  validateDeployment,
  validateReplicaSet,
  validateStatefulSet,
} from './workload-validation.ts';

/** What all workloads have in common. */
const SPEC: Record<string, Schema> = {
  selector: LABEL_SELECTOR,
  template: POD_TEMPLATE,
  minReadySeconds: 'int',
};

function status(...counts: string[]): Schema {
  const fields = Object.fromEntries(counts.map((count) => [count, 'int' as const]));
  return { fields: { observedGeneration: 'int', collisionCount: 'int', conditions: CONDITIONS, ...fields } };
}

function count(name: string, cell: Column['cell']): Column {
  return { name, cell };
}

const common = { group: 'apps', version: 'v1', namespaced: true, inAll: true } as const;

export const deployments: Resource = {
  ...common,
  plural: 'deployments',
  kind: 'Deployment',
  setDefaults: setDeploymentDefaults,
  validate: validateDeployment,
  shortNames: ['deploy'],
  subresources: ['status', 'scale'],
  schema: {
    spec: {
      fields: {
        ...SPEC,
        replicas: 'int',
        strategy: {
          fields: {
            type: 'string',
            rollingUpdate: { fields: { maxSurge: 'intOrString', maxUnavailable: 'intOrString' } },
          },
          retainKeys: true,
        },
        revisionHistoryLimit: 'int',
        progressDeadlineSeconds: 'int',
        paused: 'bool',
      },
    },
    status: status(
      'replicas',
      'updatedReplicas',
      'readyReplicas',
      'availableReplicas',
      'unavailableReplicas',
      'terminatingReplicas',
    ),
  },
  columns: [
    NAME,
    { name: 'Ready', cell: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas}` },
    count('Up-to-date', ({ status }) => status?.updatedReplicas ?? 0),
    count('Available', ({ status }) => status?.availableReplicas ?? 0),
    AGE,
    ...CONTAINERS,
    SELECTOR,
  ],
};

export const replicasets: Resource = {
  ...common,
  plural: 'replicasets',
  kind: 'ReplicaSet',
  setDefaults: setReplicaSetDefaults,
  validate: validateReplicaSet,
  shortNames: ['rs'],
  subresources: ['status', 'scale'],
  schema: {
    spec: { fields: { ...SPEC, replicas: 'int' } },
    status: status(
      'replicas',
      'fullyLabeledReplicas',
      'readyReplicas',
      'availableReplicas',
      'terminatingReplicas',
    ),
  },
  columns: [
    NAME,
    count('Desired', ({ spec }) => spec.replicas),
    count('Current', ({ status }) => status?.replicas ?? 0),
    count('Ready', ({ status }) => status?.readyReplicas ?? 0),
    AGE,
    ...CONTAINERS,
    SELECTOR,
  ],
  fieldSelectors: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
};

const REVISIONS: Record<string, Schema> = { currentRevision: 'string', updateRevision: 'string' };

export const statefulsets: Resource = {
  ...common,
  plural: 'statefulsets',
  kind: 'StatefulSet',
  setDefaults: setStatefulSetDefaults,
  validate: validateStatefulSet,
  shortNames: ['sts'],
  subresources: ['status', 'scale'],
  schema: {
    spec: {
      fields: {
        ...SPEC,
        replicas: 'int',
        serviceName: 'string',
        podManagementPolicy: 'string',
        updateStrategy: {
          fields: { type: 'string', rollingUpdate: { fields: { partition: 'int' } } },
        },
        revisionHistoryLimit: 'int',
        persistentVolumeClaimRetentionPolicy: { fields: { whenDeleted: 'string', whenScaled: 'string' } },
      },
    },
    status: withRevisions(
      status('replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'),
    ),
  },
  columns: [
    NAME,
    { name: 'Ready', cell: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas}` },
    AGE,
    ...CONTAINERS,
  ],
};

function withRevisions(schema: Schema): Schema {
  return { fields: { ...(schema as { fields: Record<string, Schema> }).fields, ...REVISIONS } };
}

export const daemonsets: Resource = {
  ...common,
  plural: 'daemonsets',
  kind: 'DaemonSet',
  setDefaults: setDaemonSetDefaults,
  validate: validateDaemonSet,
  shortNames: ['ds'],
  subresources: ['status'],
  schema: {
    spec: {
      fields: {
        ...SPEC,
        updateStrategy: {
          fields: {
            type: 'string',
            rollingUpdate: { fields: { maxSurge: 'intOrString', maxUnavailable: 'intOrString' } },
          },
        },
        revisionHistoryLimit: 'int',
      },
    },
    status: status(
      'currentNumberScheduled',
      'desiredNumberScheduled',
      'numberAvailable',
      'numberMisscheduled',
      'numberReady',
      'numberUnavailable',
      'updatedNumberScheduled',
    ),
  },
  columns: [
    NAME,
    count('Desired', ({ status }) => status?.desiredNumberScheduled ?? 0),
    count('Current', ({ status }) => status?.currentNumberScheduled ?? 0),
    count('Ready', ({ status }) => status?.numberReady ?? 0),
    count('Up-to-date', ({ status }) => status?.updatedNumberScheduled ?? 0),
    count('Available', ({ status }) => status?.numberAvailable ?? 0),
    {
      name: 'Node Selector',
      cell: ({ spec }) =>
        Object.entries(spec.template.spec.nodeSelector ?? {})
          .map(([key, value]) => `${key}=${value}`)
          .join(',') || '<none>',
    },
    AGE,
    ...CONTAINERS,
    SELECTOR,
  ],
};
