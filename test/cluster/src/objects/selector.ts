import { type KubeObject, type LabelSelector, matches } from './object.ts';
import type { Resource } from './resource.ts';
import { badRequest } from './status.ts';

type Test = (object: KubeObject) => boolean;

/** Parses a label selector as in `-l`: `a=b,c!=d,e in (x,y),f,!g`. */
export function labelTest(text: string): Test {
  const expressions = text
    .split(/,(?![^(]*\))/)
    .filter(Boolean)
    .map(labelExpression);
  return ({ metadata }) => matches({ matchExpressions: expressions }, metadata.labels);
}

function labelExpression(text: string): NonNullable<LabelSelector['matchExpressions']>[number] {
  if (/\([^)]*$/.test(text)) throw badRequest("unable to parse requirement: found '', expected: ',' or ')'");
  const set = /^\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*$/.exec(text);
  if (set) {
    const [, key = '', operator, values = ''] = set;
    return {
      key,
      operator: operator === 'in' ? 'In' : 'NotIn',
      values: values.split(',').map((s) => s.trim()),
    };
  }
  const [, not, key = '', operator, value = ''] =
    /^\s*(!?)\s*([^\s=!]+)\s*(?:(!=|==?)\s*([^\s=!]*))?\s*$/.exec(text) ?? [];
  if (!key) throw badRequest(`unable to parse requirement: ${text}`);
  if (not) return { key, operator: 'DoesNotExist' };
  if (!operator) return { key, operator: 'Exists' };
  return { key, operator: operator === '!=' ? 'NotIn' : 'In', values: [value] };
}

/** Parses a field selector: `metadata.name=a,status.phase!=Running`. */
export function fieldTest(resource: Resource, text: string): Test {
  const tests = text
    .split(',')
    .filter(Boolean)
    .map((part) => {
      const [, field = '', operator, value] = /^([^!=]+)(!=|==?)(.*)$/.exec(part) ?? [];
      const read = fieldReader(resource, field);
      return (object: KubeObject) => (read(object) === value) === (operator !== '!=');
    });
  return (object) => tests.every((test) => test(object));
}

function fieldReader(resource: Resource, field: string): (object: KubeObject) => string {
  if (field === 'metadata.name') return ({ metadata }) => metadata.name;
  if (field === 'metadata.namespace') return ({ metadata }) => metadata.namespace ?? '';
  const reader = resource.fieldSelectors?.[field];
  if (!reader) throw badRequest(unknownField(resource, field));
  return reader;
}

function unknownField({ fieldSelectors }: Resource, field: string): string {
  if (fieldSelectors) return `field label not supported: ${field}`;
  return `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`;
}
