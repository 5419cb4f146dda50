import type { Pod, Service, Workload } from '../kube/objects.ts';
import type { TapRecord } from './record.ts';

/** What was read of the cluster before a tap. */
export interface ClusterState {
  service: Service;
  /** The pods that the Service selects. */
  pods: Pod[];
  /** `kind/name` of what owns them. */
  owners: string[];
  /** Those of the owners that have a pod template. */
  workloads: Workload[];
  /** The tap that is on already, to which ports are added. */
  record: TapRecord | undefined;
}
