import type { PatchType } from '../kube/kubectl.ts';
import type { Workload } from '../kube/objects.ts';
import { servicePort } from '../kube/objects.ts';
import { isReplacedByHand, podCounts, workloadName } from '../kube/workload.ts';
import type { Templates } from '../util/template.ts';
import type { ClusterState } from './cluster-state.ts';
import { containerName } from './container.ts';
import { planEphemeralContainer, podGroupFromPod } from './ephemeral.ts';
import { choosePorts, planHealthPort, planPorts, planWebPort, portsInUse } from './ports.ts';
import { preflight } from './preflight.ts';
import { isEncrypted } from './protocol.ts';
import type { TapRecord } from './record.ts';
import type { TapRequest } from './request.ts';
import { retargetPatch, writePatch } from './service-patch.ts';
import { podGroupFromWorkload, sidecarPatch } from './sidecar.ts';
import { targetId } from './target-id.ts';

/** What a pure plan can't know: who taps, when, and random values. */
export interface TapIdentity {
  id: string;
  owner: string;
  started: string;
  /** mitmweb wants it: 32 hexadecimal digits. */
  token: string;
}

/** A change of one object: a patch, or the ephemeral container that a pod gets. */
export interface Change {
  object: string;
  type: PatchType | 'ephemeral';
  patch: unknown;
}

export interface Plan {
  record: TapRecord;
  /** What the user should know before the changes. */
  notes: string[];
  /** In the order in which they happen. */
  changes: { record: Change; inject: Change[]; retarget: Change };
}

/**
 * Plans a tap. Pure: it reads nothing and changes nothing.
 * @throws UserError when the Service can't be tapped, with the reason and a way out.
 */
export function planTap(
  state: ClusterState,
  request: TapRequest,
  identity: TapIdentity,
  templates: Templates,
): Plan {
  const { service } = state;
  preflight(state, request);
  const record = planRecord(state, request, identity);
  const object = targetId(service);
  const plan = record.mode === 'sidecar' ? planSidecars : planEphemerals;
  return {
    record,
    notes: listNotes(state, record),
    changes: {
      record: { object, type: 'merge', patch: writePatch(templates, service, record) },
      inject: plan(state, record, request, templates),
      retarget: { object, type: 'merge', patch: retargetPatch(templates, service, record) },
    },
  };
}

function planSidecars(
  { workloads }: ClusterState,
  record: TapRecord,
  request: TapRequest,
  templates: Templates,
): Change[] {
  return workloads.map((workload) => ({
    object: workloadName(workload),
    type: 'strategic',
    patch: sidecarPatch(workload, record, request, templates),
  }));
}

function planEphemerals(
  { pods }: ClusterState,
  record: TapRecord,
  request: TapRequest,
  templates: Templates,
): Change[] {
  return pods
    .filter(({ metadata }) => !record.pod || metadata.name === record.pod)
    .map((pod) => ({
      object: workloadName({ kind: 'Pod', metadata: pod.metadata }),
      type: 'ephemeral',
      patch: planEphemeralContainer(pod, record, request, templates),
    }));
}

function planRecord(
  state: ClusterState,
  request: TapRequest,
  { token, ...identified }: TapIdentity,
): TapRecord {
  const { mode, program, pod, tlsSecret, clientTlsSecret } = request;
  const { service, workloads } = state;
  const { id } = state.record ?? identified;
  const container = containerName(service.metadata.name, mode === 'ephemeral' ? id : undefined);
  const running = state.pods.map(podGroupFromPod);
  const pods = mode === 'sidecar' ? workloads.map(podGroupFromWorkload) : running;
  // The pods of a workload may have proxies of other taps, which its template does not show.
  const taken = new Set([...pods, ...running].flatMap(({ spec }) => portsInUse(spec, container)));
  const wanted = choosePorts(service, request.ports);
  const ports = planPorts(wanted, pods, container, request, state.record, taken);
  return {
    version: 1,
    ...identified,
    ...(program === 'mitmweb' && { web: { port: planWebPort(taken), token } }),
    ...(mode === 'sidecar' && !state.record && { health: planHealthPort(taken) }),
    ...(pod && { pod }),
    ...(tlsSecret && { tlsSecret }),
    ...(clientTlsSecret && { clientTlsSecret }),
    ...state.record,
    phase: 'starting',
    mode,
    program,
    container,
    workloads: pod ? [`pod/${pod}`] : state.owners,
    ports,
  };
}

function listNotes({ service, pods, workloads }: ClusterState, record: TapRecord): string[] {
  const unread = record.ports.filter(({ port, protocol }) => {
    const current = servicePort(service, port);
    return protocol === 'auto' && !record.tlsSecret && current && isEncrypted(current);
  });
  return [
    ...(record.mode === 'sidecar' ? workloads.flatMap(listRolloutNotes) : []),
    ...(pods.length === 0 ? [`${targetId(service)} has no pods now; new pods will have the proxy`] : []),
    ...unread.map(
      ({ port }) =>
        `TLS on port ${port} passes unread; with --tls-secret clients see the app's certificate, with --protocol https mitmproxy's`,
    ),
    ...record.ports
      .filter(({ protocol }) => protocol === 'tcp')
      .map(({ port }) => `port ${port} is proxied as TCP: its bytes are shown, but not parsed`),
  ];
}

function listRolloutNotes(workload: Workload): string[] {
  const name = workloadName(workload);
  const isSingle = podCounts(workload).wanted === 1;
  if (workload.spec.strategy?.type === 'Recreate') {
    return [`${name} has the strategy Recreate: it is down while its pods are replaced`];
  }
  if (isSingle && (workload.kind === 'StatefulSet' || isReplacedByHand(workload))) {
    return [`${name} has one replica: it is down while its pod is replaced`];
  }
  if (workload.kind === 'DaemonSet') return [`${name}: each node has no pod while its pod is replaced`];
  return [];
}
