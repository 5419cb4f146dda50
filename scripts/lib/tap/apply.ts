import { type Kubectl, KubectlError } from '../kube/kubectl.ts';
import type { Pod } from '../kube/objects.ts';
import type { ClusterState } from '../plan/cluster-state.ts';
import type { EphemeralContainer } from '../plan/ephemeral.ts';
import type { Change, Plan } from '../plan/plan.ts';
import { targetId } from '../plan/target-id.ts';
import { UserError } from '../util/error.ts';
import { forEachInPool } from '../util/pool.ts';
import type { Context } from './context.ts';
import { addEphemeralContainer } from './ephemeral-pod.ts';

/** Asks the API server whether it accepts all changes. This includes admission and the user's rights. */
export async function dryRunChanges(
  context: Context,
  { pods }: ClusterState,
  { changes }: Plan,
): Promise<void> {
  await patch(context, changes.record, { dryRun: true });
  await forEachInPool(changes.inject, async (change) => {
    if (change.type === 'ephemeral') await dryRunEphemeral(context.kubectl, pods, change);
    else await patch(context, change, { dryRun: true });
  });
  context.signal?.throwIfAborted();
}

async function dryRunEphemeral(kubectl: Kubectl, pods: Pod[], change: Change): Promise<void> {
  const pod = pods.find((pod) => targetId({ kind: 'Pod', metadata: pod.metadata }) === change.object);
  try {
    if (pod) await addEphemeralContainer(kubectl, pod, change.patch as EphemeralContainer, { dryRun: true });
  } catch (error) {
    if (!(error instanceof KubectlError)) throw error;
    throw new UserError(error.message, {
      hint: 'leave out --no-restart; the pods are then restarted with the proxy in them',
    });
  }
}

export async function patch<T>(context: Context, change: Change, options = {}): Promise<T> {
  if (change.type === 'ephemeral') throw new Error(`${change.object} takes no patch`);
  return await context.kubectl.patch<T>(change.object, change.type, change.patch, options);
}
