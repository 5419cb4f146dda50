import { ancestorOf, removeAncestor } from './ancestor.ts';
import type { Kubectl } from './kubectl.ts';
import type { Service, Workload } from './kubernetes.ts';
import { erasePatch, recordOf, restorePatch, type TapRecord } from './record.ts';
import { waitForRollout } from './rollout.ts';
import { updateService } from './service.ts';
import { closeSession } from './session.ts';
import { containerName } from './sidecar.ts';
import type { Workbench } from './workbench.ts';
import { hasContainer, listWorkloads, workloadName } from './workload.ts';

/**
 * Gives a Service back: the Service first, then the proxies go, then the record. It works from whatever
 * state an `on` or an `off` died in, and when there is nothing to do, does nothing.
 * @param onlyId gives back this one tap, and not one that someone else began since.
 * @returns whether there was a tap, or the remains of one.
 * @throws UserError when the pods do not become ready without the proxy; the Service is given back then.
 */
export async function untap(bench: Workbench, name: string, onlyId?: string): Promise<boolean> {
  const service = await bench.kubectl.find<Service>([`service/${name}`]);
  const ancestor = service && ancestorOf(service);
  if (service && ancestor) await removeAncestor(bench, service, ancestor);
  const record = service && recordOf(service);
  if (onlyId && record && record.id !== onlyId) return false;
  if (service && record) {
    await giveBack(bench, name, record);
    await closeSession({ kubectl: bench.kubectl, service, record });
    return true;
  }
  return (await removeRemains(bench, service, name)) || ancestor !== undefined;
}

async function giveBack(bench: Workbench, name: string, record: TapRecord): Promise<void> {
  const { kubectl, templates, talk } = bench;
  const restored = await updateService(kubectl, name, record.id, (service, current) =>
    restorePatch(templates, service, current),
  );
  if (restored)
    talk.say(`service/${name} is given back; taking the proxy out of ${record.workloads.join(', ')} ...`);
  const workloads = await Promise.all(record.workloads.map((object) => kubectl.find<Workload>([object])));
  const changed = await removeContainer(
    bench,
    workloads.filter((workload) => workload !== undefined),
    record.container,
  );
  // From here on nothing of ours is in any spec, so the record goes even if the pods are in trouble.
  await waitUntilGone(bench, changed).finally(() =>
    updateService(kubectl, name, record.id, (service) => erasePatch(templates, service)),
  );
}

/** Takes the container out of those workloads that have it, and returns them. */
async function removeContainer(
  bench: Workbench,
  workloads: Workload[],
  container: string,
): Promise<Workload[]> {
  const patch = bench.templates.render('sidecar-remove', { container });
  const changed: Workload[] = [];
  for (const workload of workloads.filter((workload) => hasContainer(workload, container))) {
    changed.push(await bench.kubectl.patch<Workload>(workloadName(workload), 'strategic', patch));
  }
  return changed;
}

async function waitUntilGone({ kubectl, talk, timeout }: Workbench, workloads: Workload[]): Promise<void> {
  for (const workload of workloads) await waitForRollout(kubectl, workload, { talk, timeout });
}

/** What is left when the record is gone: the Service was made anew, or someone removed the annotation. */
async function removeRemains(bench: Workbench, service: Service | undefined, name: string): Promise<boolean> {
  const container = containerName(name);
  const workloads = (await listWorkloads(bench.kubectl)).filter((workload) =>
    hasContainer(workload, container),
  );
  if (workloads.length === 0) return false;
  bench.talk.say(
    `service/${name} has no record of a tap; its proxy is in ${workloads.map(workloadName).join(', ')}`,
  );
  if (service) await restoreFromContainer(bench, service, workloads, container);
  await waitUntilGone(bench, await removeContainer(bench, workloads, container));
  return true;
}

/** Without the record, the proxy's own arguments still say which port of the app it stands for. */
async function restoreFromContainer(
  bench: Workbench,
  service: Service,
  workloads: Workload[],
  container: string,
): Promise<void> {
  const appPorts = new Map(workloads.flatMap((workload) => portsOfProxy(workload, container)));
  const ports = service.spec.ports?.map((port) => ({
    ...port,
    targetPort: appPorts.get(Number(port.targetPort)) ?? port.targetPort,
  }));
  const { resourceVersion } = service.metadata;
  // The record is null: there is none, and none is made.
  const patch = bench.templates.render('service-restore', { resourceVersion, record: null, ports });
  await bench.kubectl.patch(`service/${service.metadata.name}`, 'merge', patch);
}

function portsOfProxy(workload: Workload, container: string): [number, number][] {
  const proxy = workload.spec.template.spec.containers.find(({ name }) => name === container);
  const pairs = proxy?.args?.find((arg) => arg.startsWith('mittens_ports='))?.slice('mittens_ports='.length);
  return (pairs?.split(',') ?? []).flatMap((pair) => {
    const [, listen, app] = /^(\d+)=https?:\/\/localhost:(\d+)$/.exec(pair) ?? [];
    return listen && app ? [[Number(listen), Number(app)] as [number, number]] : [];
  });
}

/** The Services that proxies were put there for, by the containers' names. */
export async function servicesOfProxies(
  kubectl: Kubectl,
  flags: string[],
): Promise<{ namespace: string; name: string }[]> {
  return (await listWorkloads(kubectl, flags)).flatMap(({ metadata: { namespace }, spec }) =>
    spec.template.spec.containers
      .filter(({ name }) => name.startsWith('mittens-'))
      .map(({ name }) => ({ namespace, name: name.slice('mittens-'.length) })),
  );
}
