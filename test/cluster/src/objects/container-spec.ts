/** A container of a pod's spec. */
// biome-ignore lint/suspicious/noExplicitAny: its shape is told by the pod's schema
export type ContainerSpec = any;

/** Whether an init container is a native sidecar, which keeps running beside the other containers. */
export function isSidecar({ restartPolicy }: ContainerSpec): boolean {
  return restartPolicy === 'Always';
}

/** The sidecars of a pod's spec. */
export function listSidecars({ initContainers = [] }: ContainerSpec): ContainerSpec[] {
  return initContainers.filter(isSidecar);
}
