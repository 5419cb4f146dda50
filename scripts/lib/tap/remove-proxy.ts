import { waitForPods } from '../kube/evict.ts';
import { hasContainerNamed, type Pod, type Workload } from '../kube/objects.ts';
import { hasContainer, workloadName } from '../kube/workload.ts';
import { sidecarRemovePatch } from '../plan/sidecar.ts';
import type { Context } from './context.ts';
import { endEphemeralProxies } from './ephemeral-pod.ts';
import { removeTapLabels } from './inject-pod.ts';

/** Removes the container from the workloads that have it, and returns those. */
export async function removeSidecars(
  { kubectl, templates }: Context,
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

export async function waitForRemoval(
  { kubectl, log, timeout }: Context,
  workloads: Workload[],
  container: string,
): Promise<void> {
  const isNew = (pod: Pod) => !hasContainerNamed(pod, container);
  for (const workload of workloads) await waitForPods(kubectl, workload, { log, timeout, isNew });
}

/** Ends the proxies in all pods of the namespace, whatever the Service selects now, and removes its label. */
export async function removeEphemeralProxies(
  context: Context,
  service: string,
  containers: string[],
): Promise<void> {
  for (const container of containers) await endEphemeralProxies(context.kubectl, container);
  await removeTapLabels(context, service);
}
