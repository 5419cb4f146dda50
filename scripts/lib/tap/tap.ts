import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { dump } from 'js-yaml';
import { isConflict } from '../kube/conflict.ts';
import { waitForPods } from '../kube/evict.ts';
import { type Kubectl, KubectlError } from '../kube/kubectl.ts';
import {
  hasContainerNamed,
  isAlive,
  isReady,
  type Pod,
  type Service,
  type Workload,
} from '../kube/objects.ts';
import { findOwners, findWorkloads, type Owners, podCounts, workloadName } from '../kube/workload.ts';
import type { ClusterState } from '../plan/cluster-state.ts';
import type { EphemeralContainer } from '../plan/ephemeral.ts';
import { type Change, type Plan, planTap } from '../plan/plan.ts';
import { originalSelector } from '../plan/pod-label.ts';
import { formatArgument } from '../plan/preflight.ts';
import { parseRecord, type TapRecord } from '../plan/record.ts';
import type { TapRequest } from '../plan/request.ts';
import { retargetPatch } from '../plan/service-patch.ts';
import { sidecarPatch } from '../plan/sidecar.ts';
import { isPod, targetId } from '../plan/target-id.ts';
import { UserError } from '../util/error.ts';
import { forEachInPool } from '../util/pool.ts';
import { readPhase } from './active-tap.ts';
import { type Context, withoutSignal } from './context.ts';
import { addEphemeralContainer, refuseWithoutEphemeral } from './ephemeral-pod.ts';
import { injectPod, needsProxy } from './inject-pod.ts';
import { refuseLegacyTap } from './legacy.ts';
import { listPods, readTarget, updateTarget } from './read-target.ts';
import { untap } from './untap.ts';

/** How long the endpoints of a Service may take to follow its pods' labels, in ms. */
const SETTLE_MS = 1000;

/**
 * Taps a Service: read, plan, record, inject, wait, retarget. Nothing is changed before the plan stands,
 * and whatever fails afterwards, the Service is given back.
 * @returns the record of the tap, which is then on.
 * @throws UserError when the Service can't be tapped, or could not be.
 */
export async function tapService(
  context: Context,
  service: Service,
  request: TapRequest,
): Promise<TapRecord> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tapOnce(context, service, request);
    } catch (error) {
      if (!isConflict(error) || attempt === 3) throw error;
      service = await readTarget(context.kubectl, targetId(service));
    }
  }
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
  const { kubectl } = context;
  if (request.mode === 'ephemeral') await refuseWithoutEphemeral(kubectl);
  for (const secret of [request.tlsSecret, request.clientTlsSecret])
    if (secret) await refuseWithoutCertificate(kubectl, secret);
  const identity = {
    id: randomBytes(4).toString('hex'),
    owner: formatOwner(),
    started: new Date().toISOString(),
    token: randomBytes(16).toString('hex'),
  };
  const state = await readClusterState(kubectl, service);
  return { state, plan: planTap(state, request, identity, context.templates) };
}

/** user@host; or what a program that taps for others says of itself. */
function formatOwner(): string {
  return process.env.MITTENS_OWNER || `${userName()}@${hostname()}`;
}

/** In a container a user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'somebody');
  }
}

async function readClusterState(kubectl: Kubectl, service: Service): Promise<ClusterState> {
  refuseLegacyTap(service);
  const record = parseRecord(service);
  if (record && record.phase !== 'on') throw busy(service, record);
  const nothing = { service, record, pods: [], owners: [], workloads: [] };
  if (!service.spec.selector && !isPod(service)) return nothing;
  const pods = (await listPods(kubectl, service)).filter(isAlive);
  const { names, workloads } =
    pods.length > 0 ? await findOwners(kubectl, pods) : await findScaledToZero(kubectl, service);
  return { ...nothing, pods, owners: names, workloads };
}

async function findScaledToZero(kubectl: Kubectl, service: Service): Promise<Owners> {
  const workloads = isPod(service) ? [] : await findWorkloads(kubectl, originalSelector(service));
  return { names: workloads.map(workloadName), workloads };
}

/**
 * A pod that waits for a Secret which is not there says so only in an event, and waits for ever.
 * @throws UserError when there is no such Secret, or it has no certificate.
 */
async function refuseWithoutCertificate(kubectl: Kubectl, name: string): Promise<void> {
  const keys = 'go-template={{range $key, $value := .data}}{{$key}} {{end}}';
  try {
    const found = (await kubectl.run(['get', `secret/${name}`, '-o', keys])).split(' ');
    if (['tls.crt', 'tls.key'].every((key) => found.includes(key))) return;
  } catch (error) {
    // Who may not read Secrets may still have pods that mount them.
    if (error instanceof KubectlError && error.reason === 'Forbidden') return;
    throw error;
  }
  throw new UserError(`secret/${name} has no tls.crt and tls.key`, {
    hint: 'kubectl create secret tls NAME --cert=FILE --key=FILE makes one that has',
  });
}

function busy(service: Service, record: TapRecord): UserError {
  return new UserError(
    `${targetId(service)} is ${record.phase}, by ${record.owner} since ${record.started}`,
    {
      hint: `wait, or give it back: off ${formatArgument(service)}`,
    },
  );
}

/** Lets the API server judge the changes, its admission and the user's rights included, before the first. */
async function dryRunChanges(context: Context, { pods }: ClusterState, { changes }: Plan): Promise<void> {
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
      hint: 'without --no-restart the pods are replaced by such that have the proxy',
    });
  }
}

async function patch<T>(context: Context, change: Change, options = {}): Promise<T> {
  if (change.type === 'ephemeral') throw new Error(`${change.object} takes no patch`);
  return await context.kubectl.patch<T>(change.object, change.type, change.patch, options);
}

// -- with a restart

/** Puts the proxy into the pods of every workload, which roll out beside one another. */
async function injectSidecars(
  context: Context,
  service: Service,
  plan: Plan,
  request: TapRequest,
): Promise<void> {
  for (const change of plan.changes.inject) await injectSidecar(context, change, plan.record, request);
  for (const { object } of plan.changes.inject) await waitForWorkload(context, object, plan.record);
  await waitForProxies(context, service, plan.record);
}

/** Changes a template; another's edit of the workload in between is read, and stays. */
async function injectSidecar(
  context: Context,
  planned: Change,
  record: TapRecord,
  request: TapRequest,
): Promise<void> {
  let change = planned;
  for (let attempt = 1; ; attempt++) {
    context.signal?.throwIfAborted();
    try {
      return void (await patch(context, change));
    } catch (error) {
      if (!isConflict(error) || attempt === 5) throw error;
      const workload = await context.kubectl.get<Workload>([change.object]);
      change = { ...change, patch: sidecarPatch(workload, record, request, context.templates) };
    }
  }
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

/** Every pod that gets traffic has a proxy that takes it: a rollout that is done can still leave others. */
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
    if (phase !== 'starting') throw givenBack(service);
    if (Date.now() > deadline) {
      throw new UserError(
        ready.length === 0
          ? `no pod of ${targetId(service)} is ready any more`
          : `pod/${without[0]?.metadata.name} still serves without a proxy`,
      );
    }
    await sleep(250);
  }
}

async function isScaledToZero(kubectl: Kubectl, { workloads }: TapRecord): Promise<boolean> {
  const current = await Promise.all(workloads.map((name) => kubectl.get<Workload>([name])));
  return current.every((workload) => podCounts(workload).wanted === 0);
}

// -- without

/**
 * Puts the proxy into the pods that run. Those that get traffic now are waited for; the others get theirs from whoever
 * watches over the tap.
 */
async function injectPods(
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
  // The controller that keeps the endpoints hears of the pods' labels apart from the Service.
  if (!isPod(service)) await sleep(SETTLE_MS);
}

/** Points the Service at the proxies. */
async function retarget(context: Context, service: Service, record: TapRecord): Promise<TapRecord> {
  context.signal?.throwIfAborted();
  const done = await updateTarget(context.kubectl, targetId(service), record.id, (current, { phase }) => {
    // An off that has begun takes the proxies away: pointing at them now would cut the Service off.
    if (phase !== 'starting') throw givenBack(service);
    return retargetPatch(context.templates, current, record);
  });
  if (!done) throw givenBack(service);
  return { ...record, phase: 'on' };
}

function givenBack(service: Service): UserError {
  return new UserError(`${targetId(service)} was given back by someone else meanwhile`);
}

/** Gives the Service back, and waits for it even when the user no longer wants to. */
async function rollBack(context: Context, service: Service, record: TapRecord, why: unknown): Promise<void> {
  const name = targetId(service);
  context.log.say(`${why instanceof UserError ? why.message : 'interrupted'}; putting ${name} back ...`);
  await untap(withoutSignal(context), name, record.id).catch((error: unknown) => {
    context.log.say(`error: ${error instanceof Error ? error.message : error}`);
    context.log.say(`hint: finish with: off ${formatArgument(service)}`);
  });
}
