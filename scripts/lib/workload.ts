import { UserError } from './error.ts';
import type { Kubectl } from './kubectl.ts';
import type { Container, Metadata, Pod, Service, Workload } from './kubernetes.ts';

/** What can be tapped: kinds whose pods follow a template that can be changed in place. */
const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet'];

/** `kind/name`, as kubectl prints and takes it. */
export function workloadName(workload: Workload): string {
  return `${workload.kind.toLowerCase()}/${workload.metadata.name}`;
}

/**
 * The workloads that own pods, found by ownerReferences: a workload's own labels need not match its
 * Service's selector.
 * @throws UserError when a pod has an owner that can't be tapped, or none.
 */
export async function ownersOf(kubectl: Kubectl, pods: Pod[]): Promise<Workload[]> {
  const owners = new Map<string, { kind: string; name: string }>();
  for (const pod of pods) {
    const owner = controllerOf(pod.metadata);
    if (!owner) throw cannotTap(`pod/${pod.metadata.name}`, 'no workload owns it');
    owners.set(`${owner.kind}/${owner.name}`, owner);
  }
  const workloads = new Map<string, Workload>();
  for (const owner of owners.values()) {
    const workload = await resolveOwner(kubectl, owner);
    workloads.set(workloadName(workload), workload);
  }
  return [...workloads.values()];
}

async function resolveOwner(kubectl: Kubectl, owner: { kind: string; name: string }): Promise<Workload> {
  const name = `${owner.kind.toLowerCase()}/${owner.name}`;
  if (KINDS.includes(owner.kind)) return await kubectl.get<Workload>([name]);
  if (owner.kind !== 'ReplicaSet') throw cannotTap(name, 'its pods follow no template that rolls out');
  const replicaSet = await kubectl.get<{ metadata: Metadata }>([name]);
  const above = controllerOf(replicaSet.metadata);
  if (!above) throw cannotTap(name, 'no Deployment owns it, so a change would not reach its pods');
  if (above.kind !== 'Deployment')
    throw cannotTap(`${above.kind.toLowerCase()}/${above.name}`, 'of its kind');
  return await kubectl.get<Workload>([`deployment/${above.name}`]);
}

function controllerOf(metadata: Metadata): { kind: string; name: string } | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller);
}

function cannotTap(name: string, why: string): UserError {
  return new UserError(`${name} cannot be tapped: ${why}`, {
    hint: 'mittens taps Deployments, StatefulSets and DaemonSets',
  });
}

/** The workloads whose pods a Service would select if there were any, by their pod templates' labels. */
export async function workloadsBehind(kubectl: Kubectl, service: Service): Promise<Workload[]> {
  const selector = Object.entries(service.spec.selector ?? {});
  return (await listWorkloads(kubectl)).filter((workload) => {
    const labels = workload.spec.template.metadata?.labels ?? {};
    return selector.length > 0 && selector.every(([key, value]) => labels[key] === value);
  });
}

/** Every workload of a namespace, or with `--all-namespaces` of all, that is of a kind that can be tapped. */
export async function listWorkloads(kubectl: Kubectl, flags: string[] = []): Promise<Workload[]> {
  return await kubectl.list<Workload>(['deployments,statefulsets,daemonsets', ...flags]);
}

/** A workload's containers that run beside one another. */
export function containersOf(workload: Workload): Container[] {
  const { containers, initContainers = [] } = workload.spec.template.spec;
  return [...containers, ...initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always')];
}

/** Whether a workload's pods have a container of that name. */
export function hasContainer(workload: Workload, name: string): boolean {
  return workload.spec.template.spec.containers.some((container) => container.name === name);
}

/** How many pods are ready, and how many there should be. */
export function podCounts(workload: Workload): { ready: number; wanted: number } {
  const { status, spec } = workload;
  return {
    ready: status?.readyReplicas ?? status?.numberReady ?? 0,
    wanted: status?.desiredNumberScheduled ?? spec.replicas ?? 1,
  };
}
