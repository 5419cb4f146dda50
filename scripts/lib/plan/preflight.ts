import { isReady, isTcp, type Service, type ServicePort, type Workload } from '../kube/objects.ts';
import { isReplacedByHand, podCounts, workloadName } from '../kube/workload.ts';
import { UserError } from '../util/error.ts';
import type { ClusterState } from './cluster-state.ts';
import type { TapRecord } from './record.ts';
import type { TapRequest } from './request.ts';
import { isPod, targetId } from './target-id.ts';

// What cannot be tapped, each with the reason and the way out. Pure: nothing has been changed yet.

/** The mode and the ports are ours: with others the tap would point at nothing. */
const OWN_ARGS = /^(-m|--mode|-p|--listen-port|--listen-host|--no-server|-n)(=|$)/;

/** Whether clients of a Service come to its pods through a targetPort. */
export function canBeTapped(service: Service): boolean {
  return explainWhyNot(service) === undefined;
}

/** @throws UserError for a Service whose clients do not come through a targetPort. */
export function refuseService(service: Service): void {
  const why = explainWhyNot(service);
  if (why) throw new UserError(`${targetId(service)} ${why.message}`, { hint: why.hint });
}

function explainWhyNot(service: Service): { message: string; hint?: string } | undefined {
  const { type, selector, clusterIP } = service.spec;
  if (isPod(service)) return undefined;
  if (type === 'ExternalName') {
    return {
      message: 'is of type ExternalName: there are no pods behind it',
      hint: 'tap the Service that it names, in the cluster where that one is',
    };
  }
  if (Object.keys(selector ?? {}).length === 0)
    return { message: 'has no selector: its endpoints are kept by hand, there are no pods to tap' };
  if (clusterIP === 'None') {
    return {
      message: 'is headless: its clients go to the pods themselves, past any targetPort',
      hint: 'tap a Service with a cluster IP in front of the same pods',
    };
  }
  return undefined;
}

/**
 * Two can look at a session, and add ports to it; a capture is of whoever began it.
 * @throws UserError when a Service is tapped already, and the two taps are not of one kind.
 */
export function refuseSecond(service: Service, record: TapRecord, program: TapRecord['program']): void {
  if (record.program === program && program !== 'mitmdump') return;
  const name = targetId(service);
  const by = `by ${record.owner} since ${record.started}`;
  const off = `off ${formatArgument(service)}`;
  if (record.program === 'mitmdump') {
    throw new UserError(`${name} is being captured, ${by}`, { hint: `wait for its end, or end it: ${off}` });
  }
  if (program === 'mitmdump') {
    throw new UserError(`${name} is tapped already, ${by}`, {
      hint: `its flows are kept when it ends; end it: ${off}`,
    });
  }
  throw new UserError(`${name} is tapped with ${record.program}, ${by}`, {
    hint: `see it: attach ${formatArgument(service)}; or end it: ${off}`,
  });
}

/** @throws UserError when a tap that is on has its proxies in another way than is wanted now, or in other pods. */
export function refuseOtherMode(service: Service, record: TapRecord, { mode, pod }: TapRequest): void {
  if (mode === 'sidecar' || (record.mode === mode && record.pod === pod)) return;
  const how = record.mode === 'sidecar' ? 'with a sidecar' : (record.pod ?? 'in all its pods');
  throw new UserError(`${targetId(service)} is tapped already, ${how}`, {
    hint: `see it: attach ${formatArgument(service)}; or give it back first: off ${formatArgument(service)}`,
  });
}

/** @throws UserError when ports are to be added to a tap whose containers can't be changed. */
export function refuseMorePorts(service: Service, record: TapRecord): void {
  if (record.mode === 'sidecar') return;
  throw new UserError(
    `${targetId(service)} is tapped without a restart, and such a tap takes no more ports`,
    { hint: `give it back first: off ${formatArgument(service)}; then name all its ports` },
  );
}

/** How a command is told of a Service or pod, in its own namespace. */
export function formatArgument(service: Service): string {
  return isPod(service) ? targetId(service) : service.metadata.name;
}

/** @throws UserError for arguments of mitmproxy's that mittens sets. */
export function refuseArgs(args: readonly string[]): void {
  const own = args.find((arg) => OWN_ARGS.test(arg));
  if (own) {
    throw new UserError(`mitmproxy's ${own} is set by mittens`, {
      hint: 'use --port, --listen-port and --protocol for what is tapped, and how',
    });
  }
}

/** @throws UserError when nothing stands behind a Service, or nothing that is ready. */
export function refusePods({ service, pods, workloads }: ClusterState, { mode, pod }: TapRequest): void {
  const name = targetId(service);
  if (pods.length === 0 && workloads.length === 0) {
    throw new UserError(`no pod matches the selector of ${name}`, { hint: 'kubectl get pods --show-labels' });
  }
  const [first] = workloads;
  if (pods.length === 0 && first && workloads.every((workload) => podCounts(workload).wanted === 0)) {
    // It serves nobody now; its pods will have the proxy when they come.
    if (mode === 'sidecar') return;
    throw new UserError(`${name} has no pods: ${workloadName(first)} is scaled to zero`, {
      hint: `kubectl scale ${workloadName(first)} --replicas=1; or leave out --no-restart`,
    });
  }
  if (pod && !pods.some((candidate) => candidate.metadata.name === pod && isReady(candidate)))
    throw new UserError(`pod/${pod} is not ready`, { hint: `kubectl describe pod/${pod}` });
  if (pods.some(isReady)) return;
  throw new UserError(isPod(service) ? `${name} is not ready` : `no pod of ${name} is ready`, {
    hint: `kubectl describe ${first ? workloadName(first) : 'pods'}`,
  });
}

/** @throws UserError for pods whose own network is their node's. */
export function refuseHostNetwork(name: string, spec: { hostNetwork?: boolean }): void {
  if (!spec.hostNetwork) return;
  throw new UserError(`${name} uses the network of its nodes: the proxy's port would be open there`, {
    hint: 'hostNetwork workloads are not tapped',
  });
}

const WITHOUT = 'with --no-restart the pods that run are tapped as they are';

/** @throws UserError when pods have no template that a container could be added to. */
export function refuseOwners({ owners, workloads }: ClusterState): void {
  const strange = owners.find((owner) => !workloads.some((workload) => workloadName(workload) === owner));
  if (!strange) return;
  const why = strange.startsWith('pod/')
    ? 'no workload owns it, and a pod takes no more containers'
    : 'its pods follow no template that rolls out';
  throw new UserError(`${strange} cannot be tapped with a restart: ${why}`, { hint: WITHOUT });
}

/** @throws UserError for a workload whose pods would not follow a change of their template, or should not. */
export function refuseWorkload(workload: Workload, { replacePods }: TapRequest): void {
  const name = workloadName(workload);
  const { spec } = workload;
  refuseHostNetwork(name, spec.template.spec);
  if (spec.paused) {
    throw new UserError(`the rollout of ${name} is paused: its pods would not change`, {
      hint: `kubectl rollout resume ${name}; or ${WITHOUT}`,
    });
  }
  if (spec.updateStrategy?.rollingUpdate?.partition) {
    throw new UserError(`${name} has an update partition: not all of its pods would change`, {
      hint: `set spec.updateStrategy.rollingUpdate.partition to 0; or ${WITHOUT}`,
    });
  }
  if (isReplacedByHand(workload) && !replacePods) {
    const why =
      workload.kind === 'ReplicaSet' ? 'is owned by no Deployment' : 'has the update strategy OnDelete';
    throw new UserError(`${name} ${why}: its pods would not change by themselves`, {
      hint: `--replace-pods evicts them one at a time, now and at the end; or ${WITHOUT}`,
    });
  }
}

/** @throws UserError for a port that mitmproxy can't sit in front of. */
export function refusePort(service: Service, port: ServicePort): void {
  if (isTcp(port)) return;
  throw new UserError(`port ${port.port} of ${targetId(service)} speaks ${port.protocol}`, {
    hint: 'mitmproxy sits in front of TCP ports',
  });
}
