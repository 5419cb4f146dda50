import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { dump } from 'js-yaml';
import { isConflict } from '../kube/conflict.ts';
import { untilFollowed } from '../kube/evict.ts';
import { type Kubectl, KubectlError } from '../kube/kubectl.ts';
import {
  hasContainerNamed,
  isAlive,
  isReady,
  type Pod,
  type Service,
  type Workload,
} from '../kube/objects.ts';
import { findWorkloads, type Owners, ownersOf, podCounts, workloadName } from '../kube/workload.ts';
import type { Scene } from '../plan/cluster-state.ts';
import type { EphemeralContainer } from '../plan/ephemeral.ts';
import { type Change, type Plan, planTap } from '../plan/plan.ts';
import { selectorOf } from '../plan/pod-label.ts';
import { argumentOf } from '../plan/preflight.ts';
import { recordOf, type TapRecord } from '../plan/record.ts';
import type { TapRequest } from '../plan/request.ts';
import { retargetPatch } from '../plan/service-patch.ts';
import { sidecarPatch } from '../plan/sidecar.ts';
import { isPod, subjectName } from '../plan/target-id.ts';
import { UserError } from '../util/error.ts';
import { eachOf } from '../util/pool.ts';
import { readPhase } from './active-tap.ts';
import type { Workbench } from './context.ts';
import { addEphemeral, refuseWithoutEphemeral } from './ephemeral-pod.ts';
import { isUnserved, servePod } from './inject-pod.ts';
import { refuseAncestor } from './legacy.ts';
import { getSubject, podsOf, updateSubject } from './read-target.ts';
import { untap } from './untap.ts';

/** How long the endpoints of a Service may take to follow its pods' labels, in ms. */
const SETTLE_MS = 1000;

/**
 * Taps a Service: read, plan, record, inject, wait, retarget. Nothing is changed before the plan stands,
 * and whatever fails afterwards, the Service is given back.
 * @returns the record of the tap, which is then on.
 * @throws UserError when the Service can't be tapped, or could not be.
 */
export async function tap(bench: Workbench, service: Service, request: TapRequest): Promise<TapRecord> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tapOnce(bench, service, request);
    } catch (error) {
      if (!isConflict(error) || attempt === 3) throw error;
      service = await getSubject(bench.kubectl, subjectName(service));
    }
  }
}

async function tapOnce(bench: Workbench, service: Service, request: TapRequest): Promise<TapRecord> {
  const { scene, plan } = await planFor(bench, service, request);
  await rehearse(bench, scene, plan);
  for (const note of plan.notes) bench.talk.say(`note: ${note}`);
  bench.onFirstChange?.();
  await patch(bench, plan.changes.record);
  try {
    if (request.mode === 'ephemeral') await serve(bench, scene, plan);
    else await inject(bench, service, plan, request);
    return await retarget(bench, service, plan.record);
  } catch (error) {
    await putBack(bench, service, plan.record, error);
    throw error;
  }
}

/** The plan of a tap and its rendered patches, as YAML. Changes nothing. */
export async function dryRun(bench: Workbench, service: Service, request: TapRequest): Promise<string> {
  const { record, changes } = (await planFor(bench, service, request)).plan;
  const parts = [record, changes.record, ...changes.inject, changes.retarget];
  return parts.map((part) => `---\n${dump(part)}`).join('');
}

async function planFor(
  bench: Workbench,
  service: Service,
  request: TapRequest,
): Promise<{ scene: Scene; plan: Plan }> {
  const { kubectl } = bench;
  if (request.mode === 'ephemeral') await refuseWithoutEphemeral(kubectl);
  for (const secret of [request.tlsSecret, request.clientTlsSecret])
    if (secret) await refuseWithoutCertificate(kubectl, secret);
  const signature = {
    id: randomBytes(4).toString('hex'),
    owner: ownerOf(),
    started: new Date().toISOString(),
    token: randomBytes(16).toString('hex'),
  };
  const scene = await readScene(kubectl, service);
  return { scene, plan: planTap(scene, request, signature, bench.templates) };
}

/** user@host; or what a program that taps for others says of itself. */
function ownerOf(): string {
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

async function readScene(kubectl: Kubectl, service: Service): Promise<Scene> {
  refuseAncestor(service);
  const record = recordOf(service);
  if (record && record.phase !== 'on') throw busy(service, record);
  const nothing = { service, record, pods: [], owners: [], workloads: [] };
  if (!service.spec.selector && !isPod(service)) return nothing;
  const pods = (await podsOf(kubectl, service)).filter(isAlive);
  const { names, workloads } =
    pods.length > 0 ? await ownersOf(kubectl, pods) : await behind(kubectl, service);
  return { ...nothing, pods, owners: names, workloads };
}

async function behind(kubectl: Kubectl, service: Service): Promise<Owners> {
  const workloads = isPod(service) ? [] : await findWorkloads(kubectl, selectorOf(service));
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
    `${subjectName(service)} is ${record.phase}, by ${record.owner} since ${record.started}`,
    {
      hint: `wait, or give it back: off ${argumentOf(service)}`,
    },
  );
}

/** Lets the API server judge the changes, its admission and the user's rights included, before the first. */
async function rehearse(bench: Workbench, { pods }: Scene, { changes }: Plan): Promise<void> {
  await patch(bench, changes.record, { dryRun: true });
  await eachOf(changes.inject, async (change) => {
    if (change.type === 'ephemeral') await rehearseEphemeral(bench.kubectl, pods, change);
    else await patch(bench, change, { dryRun: true });
  });
  bench.signal?.throwIfAborted();
}

async function rehearseEphemeral(kubectl: Kubectl, pods: Pod[], change: Change): Promise<void> {
  const pod = pods.find((pod) => subjectName({ kind: 'Pod', metadata: pod.metadata }) === change.object);
  try {
    if (pod) await addEphemeral(kubectl, pod, change.patch as EphemeralContainer, { dryRun: true });
  } catch (error) {
    if (!(error instanceof KubectlError)) throw error;
    throw new UserError(error.message, {
      hint: 'without --no-restart the pods are replaced by such that have the proxy',
    });
  }
}

async function patch<T>(bench: Workbench, change: Change, options = {}): Promise<T> {
  if (change.type === 'ephemeral') throw new Error(`${change.object} takes no patch`);
  return await bench.kubectl.patch<T>(change.object, change.type, change.patch, options);
}

// -- with a restart

/** Puts the proxy into the pods of every workload, which roll out beside one another. */
async function inject(bench: Workbench, service: Service, plan: Plan, request: TapRequest): Promise<void> {
  for (const change of plan.changes.inject) await injectInto(bench, change, plan.record, request);
  for (const { object } of plan.changes.inject) await follow(bench, object, plan.record);
  await waitForProxies(bench, service, plan.record);
}

/** Changes a template; another's edit of the workload in between is read, and stays. */
async function injectInto(
  bench: Workbench,
  planned: Change,
  record: TapRecord,
  request: TapRequest,
): Promise<void> {
  let change = planned;
  for (let attempt = 1; ; attempt++) {
    bench.signal?.throwIfAborted();
    try {
      return void (await patch(bench, change));
    } catch (error) {
      if (!isConflict(error) || attempt === 5) throw error;
      const workload = await bench.kubectl.get<Workload>([change.object]);
      change = { ...change, patch: sidecarPatch(workload, record, request, bench.templates) };
    }
  }
}

async function follow(
  { kubectl, talk, timeout, signal }: Workbench,
  object: string,
  record: TapRecord,
): Promise<void> {
  const workload = await kubectl.get<Workload>([object]);
  const { container } = record;
  const isNew = (pod: Pod) => hasContainerNamed(pod, container);
  await untilFollowed(kubectl, workload, { talk, timeout, isNew, container, ...(signal && { signal }) });
}

/** Every pod that gets traffic has a proxy that takes it: a rollout that is done can still leave others. */
async function waitForProxies(bench: Workbench, service: Service, record: TapRecord): Promise<void> {
  const deadline = Date.now() + bench.timeout * 1000;
  for (;;) {
    bench.signal?.throwIfAborted();
    const ready = (await podsOf(bench.kubectl, service)).filter(isReady);
    const without = ready.filter(({ spec }) =>
      spec.containers.every(({ name }) => name !== record.container),
    );
    if (without.length === 0 && (ready.length > 0 || (await isScaledToZero(bench.kubectl, record)))) return;
    const phase = await readPhase({ kubectl: bench.kubectl, service, record });
    if (phase !== 'starting') throw givenBack(service);
    if (Date.now() > deadline) {
      throw new UserError(
        ready.length === 0
          ? `no pod of ${subjectName(service)} is ready any more`
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
async function serve(bench: Workbench, { service, pods }: Scene, { record, changes }: Plan): Promise<void> {
  let listening = 0;
  const ready = pods.filter((pod) => isReady(pod) && isUnserved(pod, { service, record }));
  await eachOf(ready, async (pod) => {
    const change = changes.inject.find(({ object }) => object === workloadName({ kind: 'Pod', ...pod }));
    bench.talk.progress(`${subjectName(service)}: the proxy listens in ${listening} of ${ready.length} pods`);
    await servePod(bench, { service, record }, pod, change?.patch as EphemeralContainer);
    listening++;
  });
  // The controller that keeps the endpoints hears of the pods' labels apart from the Service.
  if (!isPod(service)) await sleep(SETTLE_MS);
}

/** Points the Service at the proxies. */
async function retarget(bench: Workbench, service: Service, record: TapRecord): Promise<TapRecord> {
  bench.signal?.throwIfAborted();
  const done = await updateSubject(bench.kubectl, subjectName(service), record.id, (current, { phase }) => {
    // An off that has begun takes the proxies away: pointing at them now would cut the Service off.
    if (phase !== 'starting') throw givenBack(service);
    return retargetPatch(bench.templates, current, record);
  });
  if (!done) throw givenBack(service);
  return { ...record, phase: 'on' };
}

function givenBack(service: Service): UserError {
  return new UserError(`${subjectName(service)} was given back by someone else meanwhile`);
}

/** Gives the Service back, and waits for it even when the user no longer wants to. */
async function putBack(bench: Workbench, service: Service, record: TapRecord, why: unknown): Promise<void> {
  const { signal: _, ...patient } = bench;
  const name = subjectName(service);
  bench.talk.say(`${why instanceof UserError ? why.message : 'interrupted'}; putting ${name} back ...`);
  await untap(patient, name, record.id).catch((error: unknown) => {
    bench.talk.say(`error: ${error instanceof Error ? error.message : error}`);
    bench.talk.say(`hint: finish with: off ${argumentOf(service)}`);
  });
}
