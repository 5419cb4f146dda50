import { mayCreate } from '../kube/access.ts';
import { type Kubectl, KubectlError } from '../kube/kubectl.ts';
import { isAlive, type Service } from '../kube/objects.ts';
import { findSubresource } from '../kube/subresource.ts';
import { findOwners, findWorkloads, type Owners, workloadName } from '../kube/workload.ts';
import type { ClusterState } from '../plan/cluster-state.ts';
import { originalSelector } from '../plan/pod-label.ts';
import { isCapture, parseRecord } from '../plan/record.ts';
import type { TapRequest } from '../plan/request.ts';
import { isPod } from '../plan/target-id.ts';
import { listPods } from './read-target.ts';

/** Reads what the plan of a tap needs to know. Changes nothing. */
export async function readClusterState(
  kubectl: Kubectl,
  service: Service,
  request: TapRequest,
): Promise<ClusterState> {
  const state = {
    service,
    record: parseRecord(service),
    hasEphemeralContainers: request.mode !== 'ephemeral' || (await hasEphemeralContainers(kubectl)),
    mayExec: !isCapture(request) || (await mayCreate(kubectl, 'pods', 'exec')),
    secretsWithoutCertificate: await findSecretsWithoutCertificate(kubectl, request),
  };
  if (!service.spec.selector && !isPod(service)) return { ...state, pods: [], owners: [], workloads: [] };
  const pods = (await listPods(kubectl, service)).filter(isAlive);
  const { names, workloads } =
    pods.length > 0 ? await findOwners(kubectl, pods) : await findScaledToZero(kubectl, service);
  return { ...state, pods, owners: names, workloads };
}

async function findScaledToZero(kubectl: Kubectl, service: Service): Promise<Owners> {
  const workloads = isPod(service) ? [] : await findWorkloads(kubectl, originalSelector(service));
  return { names: workloads.map(workloadName), workloads };
}

/** Before Kubernetes 1.22 the subresource existed too, but with another kind, as an experiment. */
async function hasEphemeralContainers(kubectl: Kubectl): Promise<boolean> {
  return (await findSubresource(kubectl, 'ephemeralcontainers'))?.kind === 'Pod';
}

/** Checks Secrets before the tap: a pod that mounts a missing one waits for ever, and says so only in an event. */
async function findSecretsWithoutCertificate(
  kubectl: Kubectl,
  { tlsSecret, clientTlsSecret }: TapRequest,
): Promise<string[]> {
  const names = [tlsSecret, clientTlsSecret].filter((name) => name !== undefined);
  const found = await Promise.all(names.map((name) => hasCertificate(kubectl, name)));
  return names.filter((_, number) => !found[number]);
}

/** @throws KubectlError when there is no such Secret. */
async function hasCertificate(kubectl: Kubectl, name: string): Promise<boolean> {
  const keys = 'go-template={{range $key, $value := .data}}{{$key}} {{end}}';
  try {
    const found = (await kubectl.run(['get', `secret/${name}`, '-o', keys])).split(' ');
    return ['tls.crt', 'tls.key'].every((key) => found.includes(key));
  } catch (error) {
    // A user who may not read Secrets may still have pods that mount them.
    if (error instanceof KubectlError && error.reason === 'Forbidden') return true;
    throw error;
  }
}
