import type { Column, Resource } from '../objects/resource.ts';
import { checkMetadata } from './check.ts';
import { AGE, NAME } from './columns.ts';

const DATA: Column = {
  name: 'Data',
  cell: ({ data = {}, binaryData = {} }) => Object.keys(data).length + Object.keys(binaryData).length,
};

const common = { group: '', version: 'v1', namespaced: true, subresources: [] } as const;

export const configmaps: Resource = {
  ...common,
  subresources: [],
  plural: 'configmaps',
  kind: 'ConfigMap',
  shortNames: ['cm'],
  schema: { data: { map: 'string' }, binaryData: { map: 'string' } },
  columns: [NAME, DATA, AGE],
  validate: (object) => checkMetadata(object),
};

export const secrets: Resource = {
  ...common,
  subresources: [],
  plural: 'secrets',
  kind: 'Secret',
  shortNames: [],
  schema: { data: { map: 'string' }, stringData: { map: 'string' }, type: 'string' },
  columns: [NAME, { name: 'Type', cell: ({ type }) => type ?? '' }, DATA, AGE],
  validate: (object) => checkMetadata(object),
  fieldSelectors: { type: ({ type }) => type ?? '' },
  setDefaults: (secret) => {
    secret.type ??= 'Opaque';
    const { stringData } = secret;
    if (!stringData) return;
    const encoded = Object.entries(stringData).map(([key, value]) => [
      key,
      Buffer.from(String(value)).toString('base64'),
    ]);
    secret.data = { ...secret.data, ...Object.fromEntries(encoded) };
    delete secret.stringData;
  },
};
