import type { Kubectl } from './kubectl.ts';
import type { Labels, Metadata, Pod, Workload } from './objects.ts';

/** What has a pod template that can be changed in place. */
const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'];

/** `kind/name`, as kubectl prints and takes it. */
export function workloadName({ kind, metadata }: { kind: string; metadata: { name: string } }): string {
  return `${kind.toLowerCase()}/${metadata.name}`;
}

/** What stands behind a Service. */
export interface Owners {
  /** `kind/name` of all that own its pods; of a pod that nobody owns, the pod itself. */
  names: string[];
  /** Those of them that have a template of their own. */
  workloads: Workload[];
}

/**
 * What owns pods, found by ownerReferences: a workload's own labels need not match its Service's selector. A
 * ReplicaSet's owner, if it has one, stands for it.
 */
export async function findOwners(kubectl: Kubectl, pods: Pod[]): Promise<Owners> {
  const owners = new Map<string, { kind: string; name: string }>();
  for (const { metadata } of pods) {
    const owner = findController(metadata) ?? { kind: 'Pod', name: metadata.name };
    owners.set(formatOwner(owner), owner);
  }
  const names = new Set<string>();
  const workloads = new Map<string, Workload>();
  for (const owner of owners.values()) {
    const top = owner.kind === 'ReplicaSet' ? await aboveReplicaSet(kubectl, owner.name) : owner;
    names.add(formatOwner(top));
    if (KINDS.includes(top.kind))
      workloads.set(formatOwner(top), await kubectl.get<Workload>([formatOwner(top)]));
  }
  return { names: [...names], workloads: [...workloads.values()] };
}

async function aboveReplicaSet(kubectl: Kubectl, name: string): Promise<{ kind: string; name: string }> {
  const { metadata } = await kubectl.get<{ metadata: Metadata }>([`replicaset/${name}`]);
  return findController(metadata) ?? { kind: 'ReplicaSet', name };
}

function formatOwner({ kind, name }: { kind: string; name: string }): string {
  return workloadName({ kind, metadata: { name } });
}

function findController(metadata: Metadata): { kind: string; name: string } | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller);
}

/** The workloads whose pod templates have the labels of a Service's selector. */
export async function findWorkloads(kubectl: Kubectl, selector: Labels): Promise<Workload[]> {
  return (await listWorkloads(kubectl)).filter((workload) =>
    isSelected(selector, workload.spec.template.metadata?.labels),
  );
}

/** Whether a Service's selector selects pods with these labels. An empty selector selects none. */
export function isSelected(selector: Labels, labels: Labels = {}): boolean {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

/** Every workload of a namespace, or with `--all-namespaces` of all, that nobody else keeps. */
export async function listWorkloads(kubectl: Kubectl, flags: string[] = []): Promise<Workload[]> {
  const all = await kubectl.list<Workload>(['deployments,statefulsets,daemonsets,replicasets', ...flags]);
  return all.filter(({ kind, metadata }) => kind !== 'ReplicaSet' || !findController(metadata));
}

/** Whether a workload's pods have a container of that name. */
export function hasContainer(workload: Workload, name: string): boolean {
  return workload.spec.template.spec.containers.some((container) => container.name === name);
}

/** Whether pods stay as they are when their template changes, until somebody deletes them. */
export function isReplacedByHand({ kind, spec }: Workload): boolean {
  return kind === 'ReplicaSet' || spec.updateStrategy?.type === 'OnDelete';
}

/** How many pods are ready, and how many there should be. */
export function podCounts(workload: Workload): { ready: number; wanted: number } {
  const { status, spec } = workload;
  return {
    ready: status?.readyReplicas ?? status?.numberReady ?? 0,
    wanted: status?.desiredNumberScheduled ?? spec.replicas ?? 1,
  };
}
