import type { KubeObject } from '../objects/object.ts';
import type { Resource } from '../objects/resource.ts';
import type { Cause } from '../objects/status.ts';
import { checkAmount, checkMetadata, checkSelectorSyntax, checkSupported, invalidValue } from './check.ts';
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
  validate: validateBudget,
  columns: [
    NAME,
    { name: 'Min Available', cell: ({ spec }) => String(spec.minAvailable ?? 'N/A') },
    { name: 'Max Unavailable', cell: ({ spec }) => String(spec.maxUnavailable ?? 'N/A') },
    { name: 'Allowed Disruptions', cell: ({ status }) => status?.disruptionsAllowed ?? 0 },
    AGE,
  ],
};

function validateBudget(budget: KubeObject): Cause[] {
  const { spec } = budget;
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec;
  const both = minAvailable !== undefined && maxUnavailable !== undefined;
  return [
    ...checkMetadata(budget),
    ...(both ? [invalidValue('spec', spec, 'minAvailable and maxUnavailable cannot be both set')] : []),
    ...checkShare('spec.minAvailable', minAvailable),
    ...checkShare('spec.maxUnavailable', maxUnavailable),
    ...checkSelectorSyntax(selector ?? {}, 'spec.selector'),
    ...(policy
      ? checkSupported('spec.unhealthyPodEvictionPolicy', policy, ['AlwaysAllow', 'IfHealthyBudget'])
      : []),
  ];
}

/** Validates a number of pods, or a percentage up to 100%. */
function checkShare(field: string, amount: number | string | undefined): Cause[] {
  if (amount === undefined) return [];
  const tooMuch = typeof amount === 'string' && Number.parseInt(amount, 10) > 100;
  return [
    ...checkAmount(field, amount),
    ...(tooMuch ? [invalidValue(field, amount, 'must not be greater than 100%')] : []),
  ];
}
