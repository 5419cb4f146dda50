import { untilFollowed } from '../kube/evict.ts';
import type { Kubectl } from '../kube/kubectl.ts';
import {
  type Container,
  containersOf,
  isRunning,
  type Pod,
  type Service,
  type Workload,
} from '../kube/objects.ts';
import { hasContainer, listWorkloads, workloadName } from '../kube/workload.ts';
import { containerName } from '../plan/container.ts';
import { endEphemerals } from '../plan/ephemeral.ts';
import { labelsOff } from '../plan/pod-label.ts';
import { portsOfProxy } from '../plan/ports.ts';
import { erasePatch, recordOf, restorePatch, type TapRecord } from '../plan/record.ts';
import { sidecarRemovePatch } from '../plan/sidecar.ts';
import { findSubject, subjectName } from '../plan/target-id.ts';
import { closeSession } from '../session/session.ts';
import type { Workbench } from './context.ts';
import { unlabel } from './inject-pod.ts';
import { ancestorOf, removeAncestor } from './legacy.ts';
import { updateSubject } from './read-target.ts';

/**
 * Gives a Service back: the Service first, then the proxies go, then the record. It works from whatever
 * state an `on` or an `off` died in, and when there is nothing to do, does nothing.
 * @param name `service/web` or `pod/web-1`.
 * @param onlyId gives back this one tap, and not one that someone else began since.
 * @returns whether there was a tap, or the remains of one.
 * @throws UserError when the pods do not become ready without the proxy; the Service is given back then.
 */
export async function untap(bench: Workbench, name: string, onlyId?: string): Promise<boolean> {
  const service = await findSubject(bench.kubectl, name);
  const ancestor = service && ancestorOf(service);
  if (service && ancestor) await removeAncestor(bench, service, ancestor);
  const record = service && recordOf(service);
  if (onlyId && record && record.id !== onlyId) return false;
  if (service && record) {
    await giveBack(bench, service, record);
    await closeSession({ kubectl: bench.kubectl, service, record });
    return true;
  }
  if (!name.startsWith('service/')) return false;
  return (await removeRemains(bench, service, name)) || ancestor !== undefined;
}

async function giveBack(bench: Workbench, service: Service, record: TapRecord): Promise<void> {
  const { kubectl, templates, talk } = bench;
  const name = subjectName(service);
  const restored = await updateSubject(kubectl, name, record.id, (service, current) =>
    restorePatch(templates, service, current),
  );
  const where = record.mode === 'sidecar' ? record.workloads.join(', ') : 'its pods';
  if (restored) talk.say(`${name} is given back; taking the proxy out of ${where} ...`);
  const erase = () => updateSubject(kubectl, name, record.id, (service) => erasePatch(templates, service));
  if (record.mode === 'ephemeral') {
    await removeEphemerals(bench, service.metadata.name, [record.container]);
    await erase();
    return;
  }
  const workloads = await Promise.all(record.workloads.map((object) => kubectl.find<Workload>([object])));
  const found = workloads.filter((workload) => workload !== undefined);
  const changed = await removeContainer(bench, found, record.container);
  // From here on nothing of ours is in any spec, so the record goes even if the pods are in trouble.
  await waitUntilGone(bench, changed, record.container).finally(erase);
}

/** Takes the container out of those workloads that have it, and returns them. */
async function removeContainer(
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

async function waitUntilGone(
  { kubectl, talk, timeout }: Workbench,
  workloads: Workload[],
  container: string,
): Promise<void> {
  for (const workload of workloads) await untilFollowed(kubectl, workload, container, { talk, timeout });
}

/** Ends the proxies in all pods of the namespace, whatever the Service selects by now, and takes its label off them. */
async function removeEphemerals(bench: Workbench, service: string, containers: string[]): Promise<void> {
  for (const container of containers) await endEphemerals(bench.kubectl, container);
  await unlabel(bench, service);
}

// -- without a record

/** What is left when the record is gone: the Service was made anew, or someone removed the annotation. */
async function removeRemains(bench: Workbench, service: Service | undefined, name: string): Promise<boolean> {
  const { kubectl, talk } = bench;
  const remains = await findRemains(kubectl, name);
  const { workloads, pods, container, ephemeral } = remains;
  const where = [...workloads.map(workloadName), ...pods.map(({ metadata }) => `pod/${metadata.name}`)];
  const selector = labelsOff(service?.spec.selector);
  if (where.length === 0 && Object.keys(selector).length === 0) return false;
  talk.say(
    `${name} has no record of a tap; ${where.length > 0 ? `its proxy is in ${where.join(', ')}` : 'it selects what is left of one'}`,
  );
  if (service) await restoreFromContainers(bench, service, proxiesOf(remains));
  await waitUntilGone(bench, await removeContainer(bench, workloads, container), container);
  await removeEphemerals(bench, name.slice('service/'.length), ephemeral);
  return true;
}

interface Remains {
  /** With the proxy in their template, and its name. */
  workloads: Workload[];
  container: string;
  /** In which the proxy runs as an ephemeral container, and all names that such have. */
  pods: Pod[];
  ephemeral: string[];
}

async function findRemains(kubectl: Kubectl, name: string): Promise<Remains> {
  const bare = name.slice('service/'.length);
  const container = containerName(bare);
  // The id of a tap is at the end.
  const prefix = containerName(bare, '00000000').slice(0, -8);
  const isOurs = (name: string) => name.startsWith(prefix) && /^[0-9a-f]{8}$/.test(name.slice(prefix.length));
  const [all, workloads] = await Promise.all([kubectl.list<Pod>(['pods']), listWorkloads(kubectl)]);
  const pods = all.filter((pod) =>
    pod.spec.ephemeralContainers?.some(({ name }) => isOurs(name) && isRunning(pod, name)),
  );
  const named = pods.flatMap(({ spec }) =>
    (spec.ephemeralContainers ?? []).map(({ name }) => name).filter(isOurs),
  );
  return {
    workloads: workloads.filter((workload) => hasContainer(workload, container)),
    container,
    pods,
    ephemeral: [...new Set(named)],
  };
}

function proxiesOf({ workloads, container, pods, ephemeral }: Remains): Container[] {
  const specs = [...workloads.map(({ spec }) => spec.template.spec), ...pods.map(({ spec }) => spec)];
  return specs.flatMap(containersOf).filter(({ name }) => name === container || ephemeral.includes(name));
}

/** Without the record, the proxies' own arguments still say which port of the app they stand for. */
async function restoreFromContainers(
  bench: Workbench,
  service: Service,
  proxies: Container[],
): Promise<void> {
  const appPorts = new Map(
    proxies.flatMap(portsOfProxy).map(({ listenPort, appPort }) => [listenPort, appPort]),
  );
  const ports = service.spec.ports?.map((port) => ({
    ...port,
    targetPort: appPorts.get(Number(port.targetPort)) ?? port.targetPort,
  }));
  const { resourceVersion } = service.metadata;
  const selector = labelsOff(service.spec.selector);
  // The record is null: there is none, and none is made.
  const patch = bench.templates.render('service-restore', { resourceVersion, record: null, selector, ports });
  await bench.kubectl.patch(subjectName(service), 'merge', patch);
}

/** The Services that proxies were put there for, by the containers' names. */
export async function servicesOfProxies(
  kubectl: Kubectl,
  flags: string[],
): Promise<{ namespace: string; name: string }[]> {
  return (await listWorkloads(kubectl, flags)).flatMap(({ metadata: { namespace }, spec }) =>
    spec.template.spec.containers
      .filter(({ name }) => name.startsWith('mittens-'))
      .map(({ name }) => ({ namespace, name: `service/${name.slice('mittens-'.length)}` })),
  );
}
