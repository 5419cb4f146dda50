import { dump } from 'js-yaml';
import { retryOnConflict } from '../kube/conflict.ts';
import type { Service } from '../kube/objects.ts';
import type { ClusterState } from '../plan/cluster-state.ts';
import { type Plan, planTap } from '../plan/plan.ts';
import type { TapRecord } from '../plan/record.ts';
import type { TapRequest } from '../plan/request.ts';
import { retargetPatch } from '../plan/service-patch.ts';
import { commandFor, targetId } from '../plan/target-id.ts';
import { UserError } from '../util/error.ts';
import { message } from '../util/message.ts';
import { errorRestored } from './active-tap.ts';
import { dryRunChanges, patch } from './apply.ts';
import { type Context, withoutSignal } from './context.ts';
import { createIdentity } from './identity.ts';
import { injectPods } from './inject-pod.ts';
import { injectSidecars } from './inject-sidecar.ts';
import { readClusterState } from './read-state.ts';
import { readTarget, updateTarget } from './read-target.ts';
import { untap } from './untap.ts';

/**
 * Taps a Service: read, plan, record, inject, wait, retarget. Changes nothing before the plan is complete. When a later
 * step fails, restores the Service.
 * @returns the record of the tap that is now on.
 * @throws UserError when the Service can't be tapped, or a step fails.
 */
export async function tapService(
  context: Context,
  service: Service,
  request: TapRequest,
): Promise<TapRecord> {
  return await retryOnConflict(3, async (attempt) => {
    const current = attempt === 1 ? service : await readTarget(context.kubectl, targetId(service));
    return await tapOnce(context, current, request);
  });
}

async function tapOnce(context: Context, service: Service, request: TapRequest): Promise<TapRecord> {
  const { state, plan } = await readAndPlan(context, service, request);
  await dryRunChanges(context, state, plan);
  for (const note of plan.notes) context.log.say(`note: ${note}`);
  context.onFirstChange?.();
  await patch(context, plan.changes.record);
  try {
    if (request.mode === 'ephemeral') await injectPods(context, state, plan);
    else await injectSidecars(context, service, plan, request);
    return await retarget(context, service, plan.record);
  } catch (error) {
    await rollBack(context, service, plan.record, error);
    throw error;
  }
}

/** The plan of a tap and its rendered patches, as YAML. Changes nothing. */
export async function dryRun(context: Context, service: Service, request: TapRequest): Promise<string> {
  const { record, changes } = (await readAndPlan(context, service, request)).plan;
  const parts = [record, changes.record, ...changes.inject, changes.retarget];
  return parts.map((part) => `---\n${dump(part)}`).join('');
}

async function readAndPlan(
  context: Context,
  service: Service,
  request: TapRequest,
): Promise<{ state: ClusterState; plan: Plan }> {
  const state = await readClusterState(context.kubectl, service, request);
  return { state, plan: planTap(state, request, createIdentity(), context.templates) };
}

/** Points the Service at the proxies. */
async function retarget(context: Context, service: Service, record: TapRecord): Promise<TapRecord> {
  context.signal?.throwIfAborted();
  const done = await updateTarget(context.kubectl, targetId(service), record.id, (current, { phase }) => {
    // `off` has begun and removes the proxies: the Service must not point at them.
    if (phase !== 'starting') throw errorRestored(service);
    return retargetPatch(context.templates, current, record);
  });
  if (!done) throw errorRestored(service);
  return { ...record, phase: 'on' };
}

/** Restores the Service. An interrupt does not end this. */
async function rollBack(context: Context, service: Service, record: TapRecord, why: unknown): Promise<void> {
  const name = targetId(service);
  context.log.say(`${why instanceof UserError ? why.message : 'interrupted'}; restoring ${name} ...`);
  await untap(withoutSignal(context), name, record.id).catch((error: unknown) => {
    context.log.say(`error: ${error instanceof Error ? error.message : error}`);
    context.log.say(message`hint: restore it: ${commandFor('off', service)}`);
  });
}
