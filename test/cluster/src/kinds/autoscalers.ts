import type { KubeObject } from '../objects/object.ts';
import type { Resource, Schema } from '../objects/resource.ts';
import { checkMetadata } from './check.ts';
import { AGE, NAME } from './columns.ts';
import { CONDITIONS } from './pod-spec.ts';

const TARGET: Schema = {
  fields: { type: 'string', averageUtilization: 'int', averageValue: 'quantity', value: 'quantity' },
};

/** As on a cluster without a metrics server, the current value of a metric is unknown. */
const METRICS: Schema = {
  list: { fields: { type: 'string', resource: { fields: { name: 'string', target: TARGET } } } },
};

export const horizontalpodautoscalers: Resource = {
  plural: 'horizontalpodautoscalers',
  kind: 'HorizontalPodAutoscaler',
  group: 'autoscaling',
  version: 'v2',
  namespaced: true,
  shortNames: ['hpa'],
  inAll: true,
  subresources: ['status'],
  schema: {
    spec: {
      fields: {
        scaleTargetRef: { fields: { apiVersion: 'string', kind: 'string', name: 'string' } },
        minReplicas: 'int',
        maxReplicas: 'int',
        metrics: METRICS,
      },
    },
    status: {
      fields: {
        currentReplicas: 'int',
        desiredReplicas: 'int',
        lastScaleTime: 'string',
        conditions: CONDITIONS,
      },
    },
  },
  setDefaults: setAutoscalerDefaults,
  validate: (object) => checkMetadata(object),
  columns: [
    NAME,
    { name: 'Reference', cell: ({ spec }) => `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}` },
    { name: 'Targets', cell: ({ spec }) => spec.metrics.map(metricText).join(', ') },
    { name: 'MinPods', cell: ({ spec }) => String(spec.minReplicas) },
    { name: 'MaxPods', cell: ({ spec }) => spec.maxReplicas },
    { name: 'Replicas', cell: ({ status }) => status?.currentReplicas ?? 0 },
    AGE,
  ],
};

function setAutoscalerDefaults(autoscaler: KubeObject): void {
  autoscaler.spec ??= {};
  const { spec } = autoscaler;
  spec.minReplicas ??= 1;
  const target = { type: 'Utilization', averageUtilization: 80 };
  if (!spec.metrics?.length) spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
}

function metricText({ resource }: KubeObject): string {
  const { averageUtilization, averageValue } = resource.target;
  return `${resource.name}: <unknown>/${averageValue ?? `${averageUtilization}%`}`;
}
