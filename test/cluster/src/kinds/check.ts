import type { KubeObject, LabelSelector, Metadata } from '../objects/object.ts';
import type { Cause } from '../objects/status.ts';
import { dnsSubdomain, labelKey, labelValue, type Rule } from './names.ts';

/** Errors of fields, worded as in k8s.io/apimachinery/pkg/util/validation/field. */

export function required(field: string, why?: string): Cause {
  return { reason: 'FieldValueRequired', field, message: `Required value${why ? `: ${why}` : ''}` };
}

export function invalidValue(field: string, value: unknown, why: string): Cause {
  return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${why}` };
}

export function duplicate(field: string, value: unknown): Cause {
  return { reason: 'FieldValueDuplicate', field, message: `Duplicate value: ${JSON.stringify(value)}` };
}

export function forbiddenField(field: string, why: string): Cause {
  return { reason: 'FieldValueForbidden', field, message: `Forbidden: ${why}` };
}

/** Requires one of the supported values. */
export function checkSupported(field: string, value: unknown, supported: string[]): Cause[] {
  if (supported.includes(value as string)) return [];
  const words = supported.map((word) => `"${word}"`).join(', ');
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${words}`;
  return [{ reason: 'FieldValueNotSupported', field, message }];
}

/** Requires a well-formed name. */
export function named(field: string, value: string | undefined, rule: Rule): Cause[] {
  return value ? matching(field, value, rule) : [required(field)];
}

export function matching(field: string, value: string, rule: Rule): Cause[] {
  return rule(value).map((why) => invalidValue(field, value, why));
}

export function atLeastZero(field: string, value: number | undefined): Cause[] {
  return (value ?? 0) >= 0 ? [] : [invalidValue(field, value, 'must be greater than or equal to 0')];
}

export function portNumber(field: string, value: number): Cause[] {
  const good = value >= 1 && value <= 65535;
  return good ? [] : [invalidValue(field, value, 'must be between 1 and 65535, inclusive')];
}

/** The errors of values that occurred before. */
export function duplicates(values: (string | undefined)[], field: (index: number) => string): Cause[] {
  return values.flatMap((value, index) =>
    value && values.indexOf(value) < index ? [duplicate(field(index), value)] : [],
  );
}

/** Validates an object's metadata; `rule` is the rule of its kind's names. */
export function checkMetadata({ metadata }: KubeObject, rule: Rule = dnsSubdomain): Cause[] {
  const field = 'metadata.name';
  const name = metadata.name
    ? matching(field, metadata.name, rule)
    : [required(field, 'name or generateName is required')];
  return [...name, ...checkLabels(metadata, 'metadata'), ...checkOwners(metadata)];
}

function checkOwners({ ownerReferences = [] }: Metadata): Cause[] {
  return ownerReferences.flatMap(({ apiVersion, kind, name, uid }) =>
    Object.entries({
      apiVersion: [apiVersion, 'version'],
      kind: [kind, 'kind'],
      name: [name, 'name'],
      uid: [uid, 'uid'],
    })
      .filter(([, [value]]) => !value)
      .map(([field, [, word]]) =>
        invalidValue(`metadata.ownerReferences.${field}`, '', `${word} must not be empty`),
      ),
  );
}

const ANNOTATIONS_LIMIT = 256 * 1024;

/** Validates the labels and annotations of an object or a template. */
export function checkLabels(
  { labels, annotations }: Pick<Metadata, 'labels' | 'annotations'>,
  path: string,
): Cause[] {
  const keys = Object.keys(annotations ?? {});
  const size = Object.entries(annotations ?? {}).reduce(
    (sum, pair) => sum + Buffer.byteLength(pair.join('')),
    0,
  );
  const field = `${path}.annotations`;
  const message = `Too long: may not be more than ${ANNOTATIONS_LIMIT} bytes`;
  return [
    ...checkLabelMap(labels ?? {}, `${path}.labels`),
    // Annotations may have capitals in their domain.
    ...keys.flatMap((key) => labelKey(key.toLowerCase()).map((why) => invalidValue(field, key, why))),
    ...(size > ANNOTATIONS_LIMIT ? [{ reason: 'FieldValueInvalid' as const, field, message }] : []),
  ];
}

export function checkLabelMap(labels: Record<string, string>, field: string): Cause[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...matching(field, key, labelKey),
    ...matching(field, value, labelValue),
  ]);
}

/** Validates the syntax of a label selector. */
export function checkSelectorSyntax(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  path: string,
): Cause[] {
  return [
    ...checkLabelMap(matchLabels, `${path}.matchLabels`),
    ...checkExpressions(matchExpressions, `${path}.matchExpressions`),
  ];
}

type Expressions = NonNullable<LabelSelector['matchExpressions']>;

function checkExpressions(expressions: Expressions, path: string): Cause[] {
  return expressions.flatMap(({ operator, values = [] }, index) => {
    const field = `${path}[${index}]`;
    if (operator === 'In' || operator === 'NotIn')
      return values.length > 0
        ? []
        : [required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
    if (operator !== 'Exists' && operator !== 'DoesNotExist')
      return [invalidValue(`${field}.operator`, operator, 'not a valid selector operator')];
    const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
    return values.length > 0 ? [forbiddenField(`${field}.values`, why)] : [];
  });
}

/** Validates a number or a percentage. */
export function checkAmount(field: string, amount: number | string): Cause[] {
  if (typeof amount === 'number') return atLeastZero(field, amount);
  if (/^[0-9]+%$/.test(amount)) return [];
  const words = "a valid percent string must be a numeric string followed by an ending '%'";
  const examples = "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
  return [invalidValue(field, amount, `${words} ${examples}`)];
}
