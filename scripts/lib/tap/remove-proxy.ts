import { untilFollowed } from '../kube/evict.ts';
import { hasContainerNamed, type Pod, type Workload } from '../kube/objects.ts';
import { hasContainer, workloadName } from '../kube/workload.ts';
import { sidecarRemovePatch } from '../plan/sidecar.ts';
import type { Workbench } from './context.ts';
import { endEphemerals } from './ephemeral-pod.ts';
import { unlabel } from './inject-pod.ts';

/** Takes the container out of those workloads that have it, and returns them. */
export async function removeContainer(
  { kubectl, templates }: Workbench,
  workloads: Workload[],
  container: string,
): Promise<Workload[]> {
  const changed: Workload[] = [];
  for (const workload of workloads.filter((workload) => hasContainer(workload, container))) {
    const patch = sidecarRemovePatch(workload, container, templates);
    changed.push(await kubectl.patch<Workload>(workloadName(workload), 'strategic', patch));
  }
  return changed;
}

export async function waitUntilGone(
  { kubectl, talk, timeout }: Workbench,
  workloads: Workload[],
  container: string,
): Promise<void> {
  const isNew = (pod: Pod) => !hasContainerNamed(pod, container);
  for (const workload of workloads) await untilFollowed(kubectl, workload, { talk, timeout, isNew });
}

/** Ends the proxies in all pods of the namespace, whatever the Service selects by now, and takes its label off them. */
export async function removeEphemerals(
  bench: Workbench,
  service: string,
  containers: string[],
): Promise<void> {
  for (const container of containers) await endEphemerals(bench.kubectl, container);
  await unlabel(bench, service);
}
