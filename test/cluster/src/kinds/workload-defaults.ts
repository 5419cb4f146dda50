import type { KubeObject } from '../objects/object.ts';
import { fillPodSpec } from './pod-defaults.ts';

/** Sets the defaults of each kind of workload, in place. */

export function setDeploymentDefaults(deployment: KubeObject): void {
  const spec = ensureSpec(deployment);
  spec.replicas ??= 1;
  spec.strategy ??= {};
  spec.strategy.type ||= 'RollingUpdate';
  if (spec.strategy.type === 'RollingUpdate')
    spec.strategy.rollingUpdate = { maxSurge: '25%', maxUnavailable: '25%', ...spec.strategy.rollingUpdate };
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  fillTemplate(spec);
}

export function setReplicaSetDefaults(replicaSet: KubeObject): void {
  const spec = ensureSpec(replicaSet);
  spec.replicas ??= 1;
  fillTemplate(spec);
}

export function setStatefulSetDefaults(statefulSet: KubeObject): void {
  const spec = ensureSpec(statefulSet);
  spec.replicas ??= 1;
  spec.podManagementPolicy ||= 'OrderedReady';
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= 'RollingUpdate';
  if (spec.updateStrategy.type === 'RollingUpdate')
    spec.updateStrategy.rollingUpdate = { partition: 0, ...spec.updateStrategy.rollingUpdate };
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain';
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain';
  spec.revisionHistoryLimit ??= 10;
  fillTemplate(spec);
}

export function setDaemonSetDefaults(daemonSet: KubeObject): void {
  const spec = ensureSpec(daemonSet);
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= 'RollingUpdate';
  if (spec.updateStrategy.type === 'RollingUpdate')
    spec.updateStrategy.rollingUpdate = {
      maxSurge: 0,
      maxUnavailable: 1,
      ...spec.updateStrategy.rollingUpdate,
    };
  spec.revisionHistoryLimit ??= 10;
  fillTemplate(spec);
}

function ensureSpec(workload: KubeObject): KubeObject['spec'] {
  workload.spec ??= {};
  return workload.spec;
}

function fillTemplate(spec: KubeObject['spec']): void {
  if (spec.template?.spec) fillPodSpec(spec.template.spec);
}
