import type { Resource } from '../objects/resource.ts';
import { resourcequotas, serviceaccounts } from './accounts.ts';
import { horizontalpodautoscalers } from './autoscalers.ts';
import { poddisruptionbudgets } from './budgets.ts';
import { namespaces, nodes } from './cluster.ts';
import { configmaps, secrets } from './config.ts';
import { endpoints, endpointslices } from './endpoints.ts';
import { events } from './events.ts';
import { jobs } from './jobs.ts';
import { pods } from './pods.ts';
import { clusterrolebindings, clusterroles, rolebindings, roles } from './rbac.ts';
import { controllerrevisions } from './revisions.ts';
import { services } from './services.ts';
import { daemonsets, deployments, replicasets, statefulsets } from './workloads.ts';

/** All kinds of this cluster. */
export const resources: Resource[] = [
  namespaces,
  nodes,
  pods,
  services,
  endpoints,
  configmaps,
  secrets,
  events,
  serviceaccounts,
  resourcequotas,
  deployments,
  replicasets,
  statefulsets,
  daemonsets,
  controllerrevisions,
  jobs,
  horizontalpodautoscalers,
  poddisruptionbudgets,
  endpointslices,
  roles,
  clusterroles,
  rolebindings,
  clusterrolebindings,
];

/** Finds a resource by its plural name. @throws Error when there is none. */
export function findResource(plural: string): Resource {
  const found = resources.find((resource) => resource.plural === plural);
  if (!found) throw new Error(`there is no resource ${plural}`);
  return found;
}
