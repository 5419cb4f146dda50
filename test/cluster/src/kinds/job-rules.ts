import { isDeepStrictEqual } from 'node:util';
import { type KubeObject, matches } from '../objects/object.ts';
import { type Cause, notImplemented } from '../objects/status.ts';
import {
  atLeastZero,
  checkLabels,
  checkMetadata,
  checkSelectorSyntax,
  checkSupported,
  invalidValue,
  required,
} from './check.ts';
import { fillPodSpec } from './pod-defaults.ts';
import { checkPodSpec } from './pod-validation.ts';
import { checkNoEphemeral } from './workload-validation.ts';

/** Sets a Job's defaults in place, including its selector and its pods' labels. */
export function setJobDefaults(job: KubeObject): void {
  job.spec ??= {};
  const { spec, metadata } = job;
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= 6;
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  if (spec.template?.spec) fillPodSpec(spec.template.spec);
  if (!spec.template || spec.manualSelector || spec.selector) return;
  const { uid, name } = metadata;
  const own = {
    ...{ 'batch.kubernetes.io/controller-uid': uid, 'controller-uid': uid },
    ...{ 'batch.kubernetes.io/job-name': name, 'job-name': name },
  };
  spec.selector = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } };
  spec.template.metadata = {
    ...spec.template.metadata,
    labels: { ...spec.template.metadata?.labels, ...own },
  };
  metadata.labels ??= { ...spec.template.metadata.labels };
}

/** The immutable fields of a Job. */
const FIXED = ['completions', 'selector', 'template', 'completionMode'];

export function validateJob(job: KubeObject, old?: KubeObject): Cause[] {
  const { spec } = job;
  const { template = {}, selector = {}, manualSelector } = spec;
  if (spec.completionMode === 'Indexed') throw notImplemented('indexed Jobs');
  const mismatch = invalidValue(
    'spec.template.metadata.labels',
    template.metadata?.labels ?? {},
    '`selector` does not match template `labels`',
  );
  const unlike = matches(selector, template.metadata?.labels) ? [] : [mismatch];
  return [
    ...checkMetadata(job),
    ...(manualSelector && !spec.selector ? [required('spec.selector')] : []),
    ...['parallelism', 'completions', 'backoffLimit'].flatMap((field) =>
      atLeastZero(`spec.${field}`, spec[field]),
    ),
    ...checkSupported('spec.completionMode', spec.completionMode, ['Indexed', 'NonIndexed']),
    ...checkSelectorSyntax(selector, 'spec.selector'),
    ...checkLabels(template.metadata ?? {}, 'spec.template'),
    ...checkPodSpec(template.spec ?? {}, 'spec.template.spec'),
    ...checkNoEphemeral(template.spec ?? {}),
    ...checkRestart(template.spec ?? {}),
    ...(spec.selector ? unlike : []),
    ...(old ? FIXED.filter((field) => !isDeepStrictEqual(spec[field], old.spec[field])) : []).map((field) =>
      invalidValue(`spec.${field}`, spec[field], 'field is immutable'),
    ),
  ];
}

/** A Job's pods may not have the default restart policy, Always. */
function checkRestart({ restartPolicy }: KubeObject['spec']): Cause[] {
  const always = restartPolicy === 'Always';
  return always ? [required('spec.template.spec.restartPolicy', 'valid values: "OnFailure", "Never"')] : [];
}
