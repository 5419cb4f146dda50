import { kubectlCommand } from '../cli/to-run.ts';
import { isReady, type Workload } from '../kube/objects.ts';
import { isReplacedByHand, podCounts, workloadName } from '../kube/workload.ts';
import { UserError } from '../util/error.ts';
import { message } from '../util/message.ts';
import type { ClusterState } from './cluster-state.ts';
import type { TapRequest } from './request.ts';
import { isPod, targetId } from './target-id.ts';

/** @throws UserError for workloads whose pods can't get a proxy, and for pods that can't have one. */
export function refuseWorkloadsAndPods(state: ClusterState, request: TapRequest): void {
  if (request.mode === 'sidecar') {
    refuseOwners(state);
    for (const workload of state.workloads) refuseWorkload(workload, request);
  }
  for (const { metadata, spec } of state.pods) refuseHostNetwork(`pod/${metadata.name}`, spec);
  refusePods(state, request);
}

/** @throws UserError when nothing stands behind a Service, or nothing that is ready. */
function refusePods({ service, pods, workloads }: ClusterState, { mode, pod }: TapRequest): void {
  const { namespace } = service.metadata;
  const name = targetId(service);
  if (pods.length === 0 && workloads.length === 0) {
    throw new UserError(`no pod matches the selector of ${name}`, {
      hint: message`compare it with the labels: ${kubectlCommand(['get', 'pods', '--show-labels'], { namespace })}`,
    });
  }
  const [first] = workloads;
  if (pods.length === 0 && first && workloads.every((workload) => podCounts(workload).wanted === 0)) {
    // It serves nobody now; its pods will have the proxy when they come.
    if (mode === 'sidecar') return;
    throw new UserError(`${name} has no pods: ${workloadName(first)} is scaled to zero`, {
      hint: message`leave out --no-restart, or start a pod: ${kubectlCommand(['scale', workloadName(first), '--replicas=1'], { namespace })}`,
    });
  }
  if (pod && !pods.some((candidate) => candidate.metadata.name === pod && isReady(candidate)))
    throw new UserError(`pod/${pod} is not ready`, {
      hint: message`see why: ${kubectlCommand(['describe', `pod/${pod}`], { namespace })}`,
    });
  if (pods.some(isReady)) return;
  throw new UserError(isPod(service) ? `${name} is not ready` : `no pod of ${name} is ready`, {
    hint: message`see why: ${kubectlCommand(['describe', first ? workloadName(first) : `pod/${pods[0]?.metadata.name}`], { namespace })}`,
  });
}

/** @throws UserError for pods whose own network is their node's. */
function refuseHostNetwork(name: string, spec: { hostNetwork?: boolean }): void {
  if (!spec.hostNetwork) return;
  throw new UserError(`${name} uses hostNetwork: the proxy's port would be open on the node`, {
    hint: 'a workload with hostNetwork cannot be tapped',
  });
}

const WITHOUT = 'use --no-restart, which taps the running pods as they are';

/** @throws UserError when pods have no template that a container could be added to. */
function refuseOwners({ owners, workloads }: ClusterState): void {
  const strange = owners.find((owner) => !workloads.some((workload) => workloadName(workload) === owner));
  if (!strange) return;
  const why = strange.startsWith('pod/')
    ? 'no workload owns it, and a pod takes no more containers'
    : 'its pods follow no template that rolls out';
  throw new UserError(`${strange} cannot be tapped with a restart: ${why}`, { hint: WITHOUT });
}

/** @throws UserError for a workload whose pods would not follow a change of their template, or should not. */
function refuseWorkload(workload: Workload, { replacePods }: TapRequest): void {
  const name = workloadName(workload);
  const { spec } = workload;
  refuseHostNetwork(name, spec.template.spec);
  if (spec.paused) {
    throw new UserError(`the rollout of ${name} is paused: its pods would not change`, {
      hint: message`${WITHOUT}\nor resume it: ${kubectlCommand(['rollout', 'resume', name], { namespace: workload.metadata.namespace })}`,
    });
  }
  if (spec.updateStrategy?.rollingUpdate?.partition) {
    throw new UserError(`${name} has an update partition: not all of its pods would change`, {
      hint: `${WITHOUT}\nor set spec.updateStrategy.rollingUpdate.partition to 0`,
    });
  }
  if (isReplacedByHand(workload) && !replacePods) {
    const why =
      workload.kind === 'ReplicaSet' ? 'is owned by no Deployment' : 'has the update strategy OnDelete';
    throw new UserError(`${name} ${why}: its pods would not change by themselves`, {
      hint: `${WITHOUT}\nor use --replace-pods, which evicts them one at a time, when the tap begins and when it ends`,
    });
  }
}
