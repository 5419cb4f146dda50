import type { KubeObject, LabelSelector } from '../objects/object.ts';
import type { Column } from '../objects/resource.ts';
import { since } from './age.ts';

export const NAME: Column = { name: 'Name', cell: ({ metadata }) => metadata.name };
export const AGE: Column = { name: 'Age', cell: ({ metadata }) => since(metadata.creationTimestamp) };

/** The columns that `-o wide` adds for a workload: its containers and their images. */
export const CONTAINERS: Column[] = [
  { name: 'Containers', wide: true, cell: (object) => joined(object, 'name') },
  { name: 'Images', wide: true, cell: (object) => joined(object, 'image') },
];

export const SELECTOR: Column = {
  name: 'Selector',
  wide: true,
  cell: ({ spec }) => selectorText(spec.selector ?? {}),
};

function joined({ spec }: KubeObject, field: string): string {
  return spec.template.spec.containers.map((container: Record<string, string>) => container[field]).join(',');
}

function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator.toLowerCase()} (${values.join(',')})`;
  });
  return [labelsText(matchLabels), ...expressions].filter((text) => text !== '').join(',') || '<none>';
}

/** Formats labels as kubectl does: a=b,c=d; '' for none. */
export function labelsText(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return pairs.sort().join(',');
}
