import { isDeepStrictEqual } from 'node:util';
import { type KubeObject, matches } from '../objects/object.ts';
import type { Cause } from '../objects/status.ts';
import {
  atLeastZero,
  checkAmount,
  checkLabels,
  checkMetadata,
  checkSelectorSyntax,
  checkSupported,
  forbiddenField,
  invalidValue,
  required,
} from './check.ts';
import { checkPodSpec } from './pod-validation.ts';

type Spec = KubeObject['spec'];

export function validateDeployment(deployment: KubeObject, old?: KubeObject): Cause[] {
  const { strategy, progressDeadlineSeconds, minReadySeconds = 0, revisionHistoryLimit } = deployment.spec;
  const field = 'spec.progressDeadlineSeconds';
  return [
    ...validate(deployment, 'deployment'),
    ...checkStrategy(strategy, 'spec.strategy'),
    ...atLeastZero('spec.revisionHistoryLimit', revisionHistoryLimit),
    ...(progressDeadlineSeconds > minReadySeconds
      ? []
      : [invalidValue(field, progressDeadlineSeconds, 'must be greater than minReadySeconds')]),
    ...immutableSelector(deployment, old),
  ];
}

export function validateReplicaSet(replicaSet: KubeObject, old?: KubeObject): Cause[] {
  return [...validate(replicaSet, 'replicaset'), ...immutableSelector(replicaSet, old)];
}

/** The fields of a StatefulSet that may change. */
const STATEFUL_SET_UPDATES = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

export function validateStatefulSet(statefulSet: KubeObject, old?: KubeObject): Cause[] {
  const { podManagementPolicy, updateStrategy } = statefulSet.spec;
  const types = ['RollingUpdate', 'OnDelete'];
  const fixed = ({ spec }: KubeObject) =>
    Object.entries(spec as object)
      .filter(([field]) => !STATEFUL_SET_UPDATES.includes(field))
      .sort();
  const fields = STATEFUL_SET_UPDATES.map((field) => `'${field}'`);
  const words = `${fields.slice(0, -1).join(', ')} and ${fields.at(-1)}`;
  const why = `updates to statefulset spec for fields other than ${words} are forbidden`;
  return [
    ...validate(statefulSet, 'statefulset'),
    ...checkSupported('spec.podManagementPolicy', podManagementPolicy, ['OrderedReady', 'Parallel']),
    ...checkSupported('spec.updateStrategy.type', updateStrategy.type, types),
    ...(old && !isDeepStrictEqual(fixed(statefulSet), fixed(old)) ? [forbiddenField('spec', why)] : []),
  ];
}

export function validateDaemonSet(daemonSet: KubeObject, old?: KubeObject): Cause[] {
  const { updateStrategy } = daemonSet.spec;
  return [
    ...validate(daemonSet, 'daemonset'),
    ...checkSupported('spec.updateStrategy.type', updateStrategy.type, ['RollingUpdate', 'OnDelete']),
    ...immutableSelector(daemonSet, old),
  ];
}

function validate(workload: KubeObject, kind: string): Cause[] {
  const { replicas, minReadySeconds, template = {} } = workload.spec;
  return [
    ...checkMetadata(workload),
    ...atLeastZero('spec.replicas', replicas),
    ...atLeastZero('spec.minReadySeconds', minReadySeconds),
    ...checkSelector(workload.spec, kind),
    ...checkLabels(template.metadata ?? {}, 'spec.template'),
    ...checkPodSpec(template.spec ?? {}, 'spec.template.spec', ['Always']),
    ...checkNoEphemeral(template.spec ?? {}),
  ];
}

export function checkNoEphemeral({ ephemeralContainers = [] }: Spec): Cause[] {
  const why = 'ephemeral containers not allowed in pod template';
  return ephemeralContainers.length > 0
    ? [forbiddenField('spec.template.spec.ephemeralContainers', why)]
    : [];
}

function checkSelector({ selector, template }: Spec, kind: string): Cause[] {
  const labels = template?.metadata?.labels ?? {};
  const field = 'spec.template.metadata.labels';
  const mismatch = invalidValue(field, labels, '`selector` does not match template `labels`');
  // A DaemonSet needs it too, but the API server reports only one of the two errors.
  if (!selector) return [...(kind === 'daemonset' ? [] : [required('spec.selector')]), mismatch];
  const { matchLabels = {}, matchExpressions = [] } = selector;
  if (Object.keys(matchLabels).length + matchExpressions.length === 0)
    return [invalidValue('spec.selector', selector, `empty selector is invalid for ${kind}`)];
  const malformed = checkSelectorSyntax(selector, 'spec.selector');
  if (malformed.length > 0)
    return [...malformed, invalidValue('spec.selector', selector, 'invalid label selector')];
  return matches(selector, labels) ? [] : [mismatch];
}

function immutableSelector({ spec }: KubeObject, old: KubeObject | undefined): Cause[] {
  if (!old || isDeepStrictEqual(spec.selector, old.spec.selector)) return [];
  return [invalidValue('spec.selector', spec.selector, 'field is immutable')];
}

function checkStrategy(strategy: Spec, path: string): Cause[] {
  const { type, rollingUpdate } = strategy;
  const field = `${path}.rollingUpdate`;
  if (type === 'Recreate')
    return rollingUpdate
      ? [forbiddenField(field, "may not be specified when strategy `type` is 'Recreate'")]
      : [];
  if (type !== 'RollingUpdate') return checkSupported(path, strategy, ['Recreate', 'RollingUpdate']);
  const { maxSurge, maxUnavailable } = rollingUpdate;
  const none = (amount: number | string) => Number.parseInt(String(amount), 10) === 0;
  return [
    ...checkAmount(`${field}.maxUnavailable`, maxUnavailable),
    ...checkAmount(`${field}.maxSurge`, maxSurge),
    ...(none(maxSurge) && none(maxUnavailable)
      ? [invalidValue(`${field}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0')]
      : []),
  ];
}
