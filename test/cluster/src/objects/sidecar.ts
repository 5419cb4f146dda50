import type { ContainerSpec } from '../node/environment.ts';

/** Whether an init container goes on beside the containers that come after it: a native sidecar. */
export function isSidecar({ restartPolicy }: ContainerSpec): boolean {
  return restartPolicy === 'Always';
}

/** The sidecars of a pod's spec. */
export function sidecarsOf({ initContainers = [] }: ContainerSpec): ContainerSpec[] {
  return initContainers.filter(isSidecar);
}
