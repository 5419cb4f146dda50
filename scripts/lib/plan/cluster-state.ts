import type { Pod, Service, Workload } from '../kube/objects.ts';
import type { TapRecord } from './record.ts';

/** What was read of the cluster before a tap. */
export interface ClusterState {
  readonly service: Service;
  /** The pods that the Service selects. */
  readonly pods: Pod[];
  /** `kind/name` of the owners of these pods. */
  readonly owners: string[];
  /** The owners that have a pod template. */
  readonly workloads: Workload[];
  /** The tap that the Service has. */
  readonly record: TapRecord | undefined;
  /** Whether the API server has ephemeral containers; true where the request needs none. */
  readonly hasEphemeralContainers: boolean;
  /** Whether the user may run `kubectl exec`; true where the request needs no exec. */
  readonly mayExec: boolean;
  /** The Secrets of the request that have no certificate. */
  readonly secretsWithoutCertificate: string[];
}
