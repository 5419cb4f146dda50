import { setTimeout as sleep } from 'node:timers/promises';
import { retryOnConflict } from '../kube/conflict.ts';
import { waitForPods } from '../kube/evict.ts';
import type { Kubectl } from '../kube/kubectl.ts';
import { hasContainerNamed, isReady, type Pod, type Service, type Workload } from '../kube/objects.ts';
import { podCounts } from '../kube/workload.ts';
import type { Change, Plan } from '../plan/plan.ts';
import type { TapRecord } from '../plan/record.ts';
import type { TapRequest } from '../plan/request.ts';
import { sidecarPatch } from '../plan/sidecar.ts';
import { targetId } from '../plan/target-id.ts';
import { UserError } from '../util/error.ts';
import { errorRestored, readPhase } from './active-tap.ts';
import { patch } from './apply.ts';
import type { Context } from './context.ts';
import { listPods } from './read-target.ts';

/** Injects the proxy into the pods of all workloads, which roll out at the same time. */
export async function injectSidecars(
  context: Context,
  service: Service,
  plan: Plan,
  request: TapRequest,
): Promise<void> {
  for (const change of plan.changes.inject) await injectSidecar(context, change, plan.record, request);
  for (const { object } of plan.changes.inject) await waitForWorkload(context, object, plan.record);
  await waitForProxies(context, service, plan.record);
}

/** Changes a pod template. Keeps what somebody else changes in between. */
async function injectSidecar(
  context: Context,
  planned: Change,
  record: TapRecord,
  request: TapRequest,
): Promise<void> {
  await retryOnConflict(5, async (attempt) => {
    context.signal?.throwIfAborted();
    const change = attempt === 1 ? planned : await replan(context, planned, record, request);
    await patch(context, change);
  });
}

async function replan(
  { kubectl, templates }: Context,
  planned: Change,
  record: TapRecord,
  request: TapRequest,
): Promise<Change> {
  const workload = await kubectl.get<Workload>([planned.object]);
  return { ...planned, patch: sidecarPatch(workload, record, request, templates) };
}

async function waitForWorkload(
  { kubectl, log, timeout, signal }: Context,
  object: string,
  record: TapRecord,
): Promise<void> {
  const workload = await kubectl.get<Workload>([object]);
  const { container } = record;
  const isNew = (pod: Pod) => hasContainerNamed(pod, container);
  await waitForPods(kubectl, workload, { log, timeout, isNew, container, ...(signal && { signal }) });
}

/** Waits until all ready pods have the proxy: after a rollout others may still get traffic. */
async function waitForProxies(context: Context, service: Service, record: TapRecord): Promise<void> {
  const deadline = Date.now() + context.timeout * 1000;
  for (;;) {
    context.signal?.throwIfAborted();
    const ready = (await listPods(context.kubectl, service)).filter(isReady);
    const without = ready.filter(({ spec }) =>
      spec.containers.every(({ name }) => name !== record.container),
    );
    if (without.length === 0 && (ready.length > 0 || (await isScaledToZero(context.kubectl, record)))) return;
    const phase = await readPhase({ kubectl: context.kubectl, service, record });
    if (phase !== 'starting') throw errorRestored(service);
    if (Date.now() > deadline) {
      throw new UserError(
        ready.length === 0
          ? `no pod of ${targetId(service)} is ready any more`
          : `pod/${without[0]?.metadata.name} still gets traffic without a proxy`,
      );
    }
    await sleep(250);
  }
}

async function isScaledToZero(kubectl: Kubectl, { workloads }: TapRecord): Promise<boolean> {
  const current = await Promise.all(workloads.map((name) => kubectl.get<Workload>([name])));
  return current.every((workload) => podCounts(workload).wanted === 0);
}
