import { type Kubectl, KubectlError } from '../kube/kubectl.ts';
import type { Pod, Service } from '../kube/objects.ts';
import { findLegacyTool } from '../plan/legacy.ts';
import { removeOurLabels } from '../plan/pod-label.ts';
import { ANNOTATION } from '../plan/record.ts';
import { toService } from '../plan/target-id.ts';

/**
 * Everything that bears a record, ours or an ancestor's, or selects what a tap has left: Services, and pods that are
 * tapped by themselves.
 * @param flags `--all-namespaces`, or none.
 */
export async function findTaps(kubectl: Kubectl, flags: string[]): Promise<Service[]> {
  const [services, pods] = await Promise.all([
    kubectl.list<Service>(['services', ...flags]),
    kubectl.list<Pod>(['pods', '-l', ANNOTATION, ...flags]).catch(noneIfForbidden),
  ]);
  return [...services.filter(isTapped), ...pods.map((pod) => toService({ ...pod, kind: 'Pod' }))];
}

function isTapped(service: Service): boolean {
  const isOurs = service.metadata.annotations?.[ANNOTATION] !== undefined;
  return (
    isOurs ||
    findLegacyTool(service) !== undefined ||
    Object.keys(removeOurLabels(service.spec.selector)).length > 0
  );
}

/** Who may not list pods has tapped none. */
function noneIfForbidden(error: unknown): [] {
  if (error instanceof KubectlError && error.reason === 'Forbidden') return [];
  throw error;
}
