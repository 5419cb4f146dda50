import { setTimeout as sleep } from 'node:timers/promises';
import { KubectlError } from '../kube/kubectl.ts';
import { hasContainerNamed, isAlive, isReady, type Pod } from '../kube/objects.ts';
import { workloadName } from '../kube/workload.ts';
import type { ClusterState } from '../plan/cluster-state.ts';
import type { EphemeralContainer } from '../plan/ephemeral.ts';
import type { Plan } from '../plan/plan.ts';
import { labelKey } from '../plan/pod-label.ts';
import type { TapRecord } from '../plan/record.ts';
import { isPod, targetId } from '../plan/target-id.ts';
import { forEachInPool } from '../util/pool.ts';
import type { ActiveTap } from './active-tap.ts';
import type { Context } from './context.ts';
import { addEphemeralContainer, waitForProxy } from './ephemeral-pod.ts';

/** How long the endpoints of a Service may take to follow the labels of its pods, in ms. */
const SETTLE_MS = 1000;

/**
 * Injection in a tap without a restart: a pod gets the proxy, and when the proxy listens, the label by which the
 * Service selects it.
 */

/** Whether a pod of a tapped Service still has no proxy that is known to listen. */
export function needsProxy(pod: Pod, { service, record }: Omit<ActiveTap, 'kubectl'>): boolean {
  if (!isAlive(pod) || (record.pod && pod.metadata.name !== record.pod)) return false;
  return isPod(service) ? !hasContainerNamed(pod, record.container) : !hasTapLabel(pod, { service, record });
}

/** Whether a pod has the label of a tap. */
function hasTapLabel({ metadata }: Pod, { service, record }: Omit<ActiveTap, 'kubectl'>): boolean {
  return metadata.labels?.[labelKey(service.metadata.name)] === record.id;
}

/** Whether a pod gets a tapped Service's traffic now. */
export function getsTraffic(pod: Pod, tap: Omit<ActiveTap, 'kubectl'>): boolean {
  return isReady(pod) && (isPod(tap.service) || hasTapLabel(pod, tap));
}

/**
 * Injects the proxy into a pod and sends the Service's traffic to it. Ignores a pod that is gone meanwhile.
 * @throws UserError when the proxy can't be added, or can't run.
 */
export async function injectPod(
  { kubectl, templates, timeout, signal }: Context,
  { service, record }: { service: ActiveTap['service']; record: TapRecord },
  pod: Pod,
  container: EphemeralContainer,
): Promise<void> {
  await addEphemeralContainer(kubectl, pod, container);
  const listens = await waitForProxy(kubectl, pod, record.container, { timeout, signal });
  if (!listens || isPod(service)) return;
  signal?.throwIfAborted();
  const patch = templates.render('pod-label', { labels: { [labelKey(service.metadata.name)]: record.id } });
  await kubectl.patch(`pod/${pod.metadata.name}`, 'merge', patch);
}

/** Removes a Service's label from all pods of the namespace. */
export async function removeTapLabels({ kubectl, templates }: Context, service: string): Promise<void> {
  const key = labelKey(service);
  const patch = templates.render('pod-label', { labels: { [key]: null } });
  for (const { metadata } of await kubectl.list<Pod>(['pods', '-l', key])) {
    await kubectl.patch(`pod/${metadata.name}`, 'merge', patch).catch((error: unknown) => {
      if (!(error instanceof KubectlError) || error.reason !== 'NotFound') throw error;
    });
  }
}

/**
 * Injects the proxy into the pods that are ready, and waits for it. The reconciler injects it into the others.
 */
export async function injectPods(
  context: Context,
  { service, pods }: ClusterState,
  { record, changes }: Plan,
): Promise<void> {
  let listening = 0;
  const ready = pods.filter((pod) => isReady(pod) && needsProxy(pod, { service, record }));
  await forEachInPool(ready, async (pod) => {
    const change = changes.inject.find(({ object }) => object === workloadName({ kind: 'Pod', ...pod }));
    context.log.progress(`${targetId(service)}: the proxy listens in ${listening} of ${ready.length} pods`);
    await injectPod(context, { service, record }, pod, change?.patch as EphemeralContainer);
    listening++;
  });
  // The endpoints controller sees the labels of the pods and the change of the Service independently.
  if (!isPod(service)) await sleep(SETTLE_MS);
}
