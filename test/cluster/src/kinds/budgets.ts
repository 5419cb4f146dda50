import type { Resource } from '../objects/resource.ts';
import { checkMetadata } from './check.ts';
import { AGE, NAME } from './columns.ts';
import { CONDITIONS, LABEL_SELECTOR } from './pod-spec.ts';

/** PodDisruptionBudgets: how many pods must stay when others are evicted. */
export const poddisruptionbudgets: Resource = {
  plural: 'poddisruptionbudgets',
  kind: 'PodDisruptionBudget',
  group: 'policy',
  version: 'v1',
  namespaced: true,
  shortNames: ['pdb'],
  subresources: ['status'],
  schema: {
    spec: {
      fields: {
        minAvailable: 'intOrString',
        maxUnavailable: 'intOrString',
        selector: LABEL_SELECTOR,
        unhealthyPodEvictionPolicy: 'string',
      },
    },
    status: {
      fields: {
        observedGeneration: 'int',
        disruptionsAllowed: 'int',
        currentHealthy: 'int',
        desiredHealthy: 'int',
        expectedPods: 'int',
        conditions: CONDITIONS,
      },
    },
  },
  setDefaults: (budget) => {
    budget.spec ??= {};
  },
  validate: (object) => checkMetadata(object),
  columns: [
    NAME,
    { name: 'Min Available', cell: ({ spec }) => String(spec.minAvailable ?? 'N/A') },
    { name: 'Max Unavailable', cell: ({ spec }) => String(spec.maxUnavailable ?? 'N/A') },
    { name: 'Allowed Disruptions', cell: ({ status }) => status?.disruptionsAllowed ?? 0 },
    AGE,
  ],
};
