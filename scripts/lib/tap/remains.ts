import type { Kubectl } from '../kube/kubectl.ts';
import {
  type Container,
  isRunning,
  listContainers,
  type Pod,
  type Service,
  type Workload,
} from '../kube/objects.ts';
import { hasContainer, listWorkloads, workloadName } from '../kube/workload.ts';
import { containerName } from '../plan/container.ts';
import { toRemovedLabels } from '../plan/pod-label.ts';
import { parseProxyPorts } from '../plan/ports.ts';
import { targetId } from '../plan/target-id.ts';
import type { Context } from './context.ts';
import { removeEphemeralProxies, removeSidecars, waitForRemoval } from './remove-proxy.ts';

/** Removes what a tap leaves when its record is gone, because somebody recreated the Service or removed the record. */
export async function removeRemains(
  context: Context,
  service: Service | undefined,
  name: string,
): Promise<boolean> {
  const { kubectl, log } = context;
  const remains = await findRemains(kubectl, name);
  const { workloads, pods, container, ephemeral } = remains;
  const where = [...workloads.map(workloadName), ...pods.map(({ metadata }) => `pod/${metadata.name}`)];
  const selector = toRemovedLabels(service?.spec.selector);
  if (where.length === 0 && Object.keys(selector).length === 0) return false;
  log.say(
    `${name} has no record of a tap; ${where.length > 0 ? `its proxy is in ${where.join(', ')}` : 'its selector is still that of a tap'}`,
  );
  if (service) await restoreFromContainers(context, service, listProxies(remains));
  await waitForRemoval(context, await removeSidecars(context, workloads, container), container);
  await removeEphemeralProxies(context, name.slice('service/'.length), ephemeral);
  return true;
}
interface Remains {
  /** The workloads with the proxy in their template, and its name. */
  workloads: Workload[];
  container: string;
  /** The pods in which the proxy runs as an ephemeral container, and the names of these containers. */
  pods: Pod[];
  ephemeral: string[];
}

async function findRemains(kubectl: Kubectl, name: string): Promise<Remains> {
  const bare = name.slice('service/'.length);
  const container = containerName(bare);
  // The name of an ephemeral container ends with the id of the tap.
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

function listProxies({ workloads, container, pods, ephemeral }: Remains): Container[] {
  const specs = [...workloads.map(({ spec }) => spec.template.spec), ...pods.map(({ spec }) => spec)];
  return specs.flatMap(listContainers).filter(({ name }) => name === container || ephemeral.includes(name));
}

/** Without the record, the arguments of the proxies still say which port of the app they forward to. */
async function restoreFromContainers(
  context: Context,
  service: Service,
  proxies: Container[],
): Promise<void> {
  const appPorts = new Map(
    proxies.flatMap(parseProxyPorts).map(({ listenPort, appPort }) => [listenPort, appPort]),
  );
  const ports = service.spec.ports?.map((port) => ({
    ...port,
    targetPort: appPorts.get(Number(port.targetPort)) ?? port.targetPort,
  }));
  const { resourceVersion } = service.metadata;
  const selector = toRemovedLabels(service.spec.selector);
  // A null record writes none.
  const patch = context.templates.render('service-restore', {
    resourceVersion,
    record: null,
    selector,
    ports,
  });
  await context.kubectl.patch(targetId(service), 'merge', patch);
}

/** Finds the Services that have sidecars, by the names of the containers. */
export async function findServicesOfProxies(
  kubectl: Kubectl,
  flags: string[],
): Promise<{ namespace: string; name: string }[]> {
  return (await listWorkloads(kubectl, flags)).flatMap(({ metadata: { namespace }, spec }) =>
    spec.template.spec.containers
      .filter(({ name }) => name.startsWith('mittens-'))
      .map(({ name }) => ({ namespace, name: `service/${name.slice('mittens-'.length)}` })),
  );
}
