import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { dump } from 'js-yaml';
import { refuseAncestor } from './ancestor.ts';
import { UserError } from './error.ts';
import type { Kubectl } from './kubectl.ts';
import { isAlive, isReady, type Service, type Workload } from './kubernetes.ts';
import { type Change, type Plan, planTap, type Scene, type TapRequest } from './plan.ts';
import { recordOf, retargetPatch, type TapRecord } from './record.ts';
import { sleep, waitForRollout } from './rollout.ts';
import { isConflict, podsOf, updateService } from './service.ts';
import { sidecarPatch } from './sidecar.ts';
import { untap } from './untap.ts';
import type { Workbench } from './workbench.ts';
import { ownersOf, workloadsBehind } from './workload.ts';

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
      service = await bench.kubectl.get<Service>([`service/${service.metadata.name}`]);
    }
  }
}

async function tapOnce(bench: Workbench, service: Service, request: TapRequest): Promise<TapRecord> {
  const plan = await planFor(bench, service, request);
  await rehearse(bench, plan);
  for (const note of plan.notes) bench.talk.say(`note: ${note}`);
  bench.onFirstChange?.();
  await apply(bench, plan.changes.record);
  try {
    await inject(bench, plan, request);
    await waitForProxies(bench, service, plan.record);
    return await retarget(bench, service, plan.record);
  } catch (error) {
    await putBack(bench, service, plan.record, error);
    throw error;
  }
}

/** The plan of a tap and its rendered patches, as YAML. Changes nothing. */
export async function dryRun(bench: Workbench, service: Service, request: TapRequest): Promise<string> {
  const plan = await planFor(bench, service, request);
  return [plan.record, ...Object.values(plan.changes)].map((part) => `---\n${dump(part)}`).join('');
}

async function planFor(bench: Workbench, service: Service, request: TapRequest): Promise<Plan> {
  const signature = {
    id: randomBytes(4).toString('hex'),
    owner: ownerOf(),
    started: new Date().toISOString(),
  };
  return planTap(await readScene(bench.kubectl, service), request, signature, bench.templates);
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
  const scene = { service, record, pods: [], workloads: [] };
  if (!service.spec.selector) return scene;
  const pods = (await podsOf(kubectl, service)).filter(isAlive);
  const workloads = await (pods.length > 0 ? ownersOf(kubectl, pods) : workloadsBehind(kubectl, service));
  return { ...scene, pods, workloads };
}

function busy(service: Service, record: TapRecord): UserError {
  const { name } = service.metadata;
  return new UserError(`service/${name} is ${record.phase}, by ${record.owner} since ${record.started}`, {
    hint: `wait, or give it back: off ${name}`,
  });
}

/** Lets the API server judge the changes, its admission and the user's rights included, before the first. */
async function rehearse(bench: Workbench, plan: Plan): Promise<void> {
  const { record, inject } = plan.changes;
  await Promise.all([record, inject].map((change) => apply(bench, change, { dryRun: true })));
  bench.signal?.throwIfAborted();
}

async function apply<T>(bench: Workbench, change: Change, options = {}): Promise<T> {
  return await bench.kubectl.patch<T>(change.object, change.type, change.patch, options);
}

/** Puts the proxy into the pods; another's edit of the workload in between is read, and stays. */
async function inject(bench: Workbench, { record, changes }: Plan, request: TapRequest): Promise<void> {
  const { kubectl, talk, timeout, signal } = bench;
  let change = changes.inject;
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      const workload = await apply<Workload>(bench, change);
      const options = { talk, timeout, container: record.container, ...(signal && { signal }) };
      return await waitForRollout(kubectl, workload, options);
    } catch (error) {
      if (!isConflict(error) || attempt === 5) throw error;
      const workload = await kubectl.get<Workload>([change.object]);
      change = { ...change, patch: sidecarPatch(workload, record, request, bench.templates) };
    }
  }
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
    if (ready.length > 0 && without.length === 0) return;
    const current = await bench.kubectl.find<Service>([`service/${service.metadata.name}`]);
    const now = current && recordOf(current);
    if (now?.id !== record.id || now.phase !== 'starting') throw givenBack(service);
    if (Date.now() > deadline) {
      throw new UserError(
        ready.length === 0
          ? `no pod of service/${service.metadata.name} is ready any more`
          : `pod/${without[0]?.metadata.name} still serves without a proxy`,
      );
    }
    await sleep(250);
  }
}

/** Points the Service at the proxies. */
async function retarget(bench: Workbench, service: Service, record: TapRecord): Promise<TapRecord> {
  bench.signal?.throwIfAborted();
  const { name } = service.metadata;
  const done = await updateService(bench.kubectl, name, record.id, (current, { phase }) => {
    // An off that has begun takes the proxies away: pointing at them now would cut the Service off.
    if (phase !== 'starting') throw givenBack(service);
    return retargetPatch(bench.templates, current, record);
  });
  if (!done) throw givenBack(service);
  return { ...record, phase: 'on' };
}

function givenBack(service: Service): UserError {
  return new UserError(`service/${service.metadata.name} was given back by someone else meanwhile`);
}

/** Gives the Service back, and waits for it even when the user no longer wants to. */
async function putBack(bench: Workbench, service: Service, record: TapRecord, why: unknown): Promise<void> {
  const { signal: _, ...patient } = bench;
  const { name } = service.metadata;
  bench.talk.say(
    `${why instanceof UserError ? why.message : 'interrupted'}; putting service/${name} back ...`,
  );
  await untap(patient, name, record.id).catch((error: unknown) => {
    bench.talk.say(`error: ${error instanceof Error ? error.message : error}`);
    bench.talk.say(`hint: finish with: off ${name}`);
  });
}
