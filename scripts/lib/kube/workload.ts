import type { Kubectl } from './kubectl.ts';
import type { Labels, Metadata, Pod, Workload } from './objects.ts';

/** The kinds whose pod template can be changed in place. */
const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'];

/** `kind/name`, as kubectl prints and reads it. */
export function workloadName({ kind, metadata }: { kind: string; metadata: { name: string } }): string {
  return `${kind.toLowerCase()}/${metadata.name}`;
}

/** The owners of pods. */
export interface Owners {
  /** `kind/name` of all owners. A pod without an owner stands for itself. */
  names: string[];
  /** The owners that have a pod template. */
  workloads: Workload[];
}

/**
 * Finds the owners of pods by ownerReferences, because the labels of a workload need not match the selector of its
 * Service. Replaces a ReplicaSet by its owner, if it has one.
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

/** The workloads of a namespace, or of all with `--all-namespaces`. Leaves out ReplicaSets that have an owner. */
export async function listWorkloads(kubectl: Kubectl, flags: string[] = []): Promise<Workload[]> {
  const all = await kubectl.list<Workload>(['deployments,statefulsets,daemonsets,replicasets', ...flags]);
  return all.filter(({ kind, metadata }) => kind !== 'ReplicaSet' || !findController(metadata));
}

/** Whether the pod template of a workload has a container of that name. */
export function hasContainer(workload: Workload, name: string): boolean {
  return workload.spec.template.spec.containers.some((container) => container.name === name);
}

/** Whether the pods of a workload follow a changed template only after somebody deletes them. */
export function isReplacedByHand({ kind, spec }: Workload): boolean {
  return kind === 'ReplicaSet' || spec.updateStrategy?.type === 'OnDelete';
}

/** The number of ready pods and of wanted pods. */
export function podCounts(workload: Workload): { ready: number; wanted: number } {
  const { status, spec } = workload;
  return {
    ready: status?.readyReplicas ?? status?.numberReady ?? 0,
    wanted: status?.desiredNumberScheduled ?? spec.replicas ?? 1,
  };
}
