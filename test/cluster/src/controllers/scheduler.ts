import { findResource } from '../kinds/index.ts';
import { type Condition, withCondition } from '../objects/condition.ts';
import { type KubeObject, matches, now } from '../objects/object.ts';
import { hasEnded, podAmount } from '../objects/pod.ts';
import { parseQuantity } from '../objects/quantity.ts';
import type { Registry } from '../store/registry.ts';
import type { Controller } from './controller.ts';

/** Assigns pods to the only node, if it has room. */
export const scheduler: Controller = {
  resource: findResource('pods'),
  concerns({ type, resource, object, old }, registry) {
    if (resource.plural !== 'pods') return [];
    if (type === 'ADDED') return [object];
    // A pod that ends makes room for waiting ones.
    const goes = type === 'DELETED' || (hasEnded(object) && old && !hasEnded(old));
    return goes ? registry.list('pods').filter(({ spec }) => !spec.nodeName) : [];
  },
  reconcile(pod, registry) {
    const [node] = registry.list('nodes');
    if (pod.spec.nodeName || !node || pod.metadata.deletionTimestamp) return undefined;
    const lack = findLack(registry, node, pod);
    if (lack) refuse(registry, pod, `0/1 nodes are available: ${lack}.`);
    else bind(registry, pod, node);
    return undefined;
  },
};

/** Why the node does not fit a pod, as the scheduler words it; undefined if it fits. */
function findLack(registry: Registry, node: KubeObject, pod: KubeObject): string | undefined {
  if (!matches({ matchLabels: pod.spec.nodeSelector ?? {} }, node.metadata.labels))
    return "1 node(s) didn't match Pod's node affinity/selector";
  const others = registry.list('pods').filter((other) => other.spec.nodeName && !hasEnded(other));
  const taken = new Set(others.flatMap(listHostPorts));
  if (listHostPorts(pod).some((port) => taken.has(port)))
    return "1 node(s) didn't have free ports for the requested pod ports";
  const scarce = ['cpu', 'memory'].filter((resource) => {
    const asked = podAmount(pod.spec, 'requests', resource);
    const used = others.reduce((sum, { spec }) => sum + podAmount(spec, 'requests', resource), asked);
    return asked > 0 && used > parseQuantity(node.status?.allocatable?.[resource] ?? '0');
  });
  return scarce.map((resource) => `1 Insufficient ${resource}`).join(', ') || undefined;
}

function listHostPorts({ spec }: KubeObject): string[] {
  return spec.containers.flatMap(({ ports = [] }: KubeObject) =>
    ports
      .filter(({ hostPort }: { hostPort?: number }) => hostPort)
      .map(
        ({ hostPort, protocol = 'TCP' }: { hostPort: number; protocol?: string }) =>
          `${hostPort}/${protocol}`,
      ),
  );
}

function bind(registry: Registry, pod: KubeObject, node: KubeObject): void {
  const { name, namespace } = pod.metadata;
  const condition = { type: 'PodScheduled', status: 'True', lastTransitionTime: now() };
  const stored = registry.find('pods', namespace, name);
  if (stored?.metadata.uid !== pod.metadata.uid) return;
  registry.store.update(findResource('pods'), {
    ...stored,
    spec: { ...stored.spec, nodeName: node.metadata.name },
    status: { ...stored.status, phase: 'Pending', conditions: [condition] },
  });
  registry.event(
    pod,
    'Normal',
    'Scheduled',
    `Successfully assigned ${namespace}/${name} to ${node.metadata.name}`,
  );
}

function refuse(registry: Registry, pod: KubeObject, message: string): void {
  const condition: Condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
  registry.modify(
    'pods',
    pod,
    ({ status }) => {
      status.conditions = withCondition(status.conditions, condition);
    },
    { subresource: 'status' },
  );
  registry.event(pod, 'Warning', 'FailedScheduling', message);
}
