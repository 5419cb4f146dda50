import type { Resource, Schema } from '../objects/resource.ts';
import { checkMetadata } from './check.ts';
import { AGE, NAME } from './columns.ts';

export const serviceaccounts: Resource = {
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
  group: '',
  version: 'v1',
  namespaced: true,
  shortNames: ['sa'],
  subresources: [],
  schema: {
    secrets: { list: { fields: { name: 'string' } }, mergeKey: 'name' },
    imagePullSecrets: { list: { fields: { name: 'string' } }, mergeKey: 'name' },
    automountServiceAccountToken: 'bool',
  },
  validate: (object) => checkMetadata(object),
  columns: [NAME, { name: 'Secrets', cell: ({ secrets }) => secrets?.length ?? 0 }, AGE],
};

const QUANTITIES: Schema = { map: 'quantity' };

export const resourcequotas: Resource = {
  plural: 'resourcequotas',
  kind: 'ResourceQuota',
  group: '',
  version: 'v1',
  namespaced: true,
  shortNames: ['quota'],
  subresources: ['status'],
  schema: {
    spec: { fields: { hard: QUANTITIES } },
    status: { fields: { hard: QUANTITIES, used: QUANTITIES } },
  },
  validate: (object) => checkMetadata(object),
  columns: [
    NAME,
    { name: 'Request', cell: ({ status }) => usage(status, (name) => !name.startsWith('limits.')) },
    { name: 'Limit', cell: ({ status }) => usage(status, (name) => name.startsWith('limits.')) },
    AGE,
  ],
};

type Usage = { hard?: Record<string, string>; used?: Record<string, string> };

function usage({ hard = {}, used = {} }: Usage = {}, wanted: (name: string) => boolean): string {
  const names = Object.keys(hard).filter(wanted).sort();
  return names.map((name) => `${name}: ${used[name] ?? '0'}/${hard[name]}`).join(', ');
}
