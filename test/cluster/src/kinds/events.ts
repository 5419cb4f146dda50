import type { KubeObject } from '../objects/object.ts';
import type { Resource } from '../objects/resource.ts';
import { since } from './age.ts';
import { checkMetadata } from './check.ts';

const REFERENCE = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];

export const events: Resource = {
  plural: 'events',
  kind: 'Event',
  group: '',
  version: 'v1',
  namespaced: true,
  shortNames: ['ev'],
  subresources: [],
  schema: {
    involvedObject: { fields: Object.fromEntries(REFERENCE.map((field) => [field, 'string' as const])) },
    reason: 'string',
    message: 'string',
    type: 'string',
    count: 'int',
    firstTimestamp: 'string',
    lastTimestamp: 'string',
    eventTime: 'string',
    action: 'string',
    source: { fields: { component: 'string', host: 'string' } },
    reportingComponent: 'string',
    reportingInstance: 'string',
  },
  validate: (object) => checkMetadata(object),
  columns: [
    {
      name: 'Last Seen',
      cell: (event) => since(event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp),
    },
    { name: 'Type', cell: ({ type }) => type ?? '' },
    { name: 'Reason', cell: ({ reason }) => reason ?? '' },
    { name: 'Object', cell: ({ involvedObject: { kind, name } }) => `${kind.toLowerCase()}/${name}` },
    { name: 'Subobject', wide: true, cell: ({ involvedObject }) => involvedObject.fieldPath ?? '' },
    { name: 'Source', wide: true, cell: formatSource },
    { name: 'Message', cell: ({ message }) => (message ?? '').trim() },
    {
      name: 'First Seen',
      wide: true,
      cell: ({ firstTimestamp, eventTime }) => since(firstTimestamp ?? eventTime),
    },
    { name: 'Count', wide: true, cell: ({ count }) => count || 1 },
    { name: 'Name', wide: true, cell: ({ metadata }) => metadata.name },
  ],
  fieldSelectors: {
    ...Object.fromEntries(
      REFERENCE.map((field) => [
        `involvedObject.${field}`,
        ({ involvedObject }: KubeObject) => involvedObject?.[field] ?? '',
      ]),
    ),
    reason: ({ reason }) => reason ?? '',
    type: ({ type }) => type ?? '',
    source: ({ source }) => source?.component ?? '',
    reportingComponent: ({ reportingComponent }) => reportingComponent ?? '',
  },
};

function formatSource({ source, reportingComponent, reportingInstance }: KubeObject): string {
  const { component = reportingComponent, host = reportingInstance } = source ?? {};
  return [component, host].filter((part) => part).join(', ');
}
