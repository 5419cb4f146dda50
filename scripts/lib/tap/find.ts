import { type Kubectl, KubectlError } from '../kube/kubectl.ts';
import type { Pod, Service } from '../kube/objects.ts';
import { findLegacyTool } from '../plan/legacy.ts';
import { toRemovedLabels } from '../plan/pod-label.ts';
import { ANNOTATION } from '../plan/record.ts';
import { toService } from '../plan/target-id.ts';

/**
 * Finds the Services and pods that have a record of this tool or of an older one, and Services that still select by our
 * label.
 * @param flags empty, or `--all-namespaces`.
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
    Object.keys(toRemovedLabels(service.spec.selector)).length > 0
  );
}

/** A user who may not list pods can't have tapped one. */
function noneIfForbidden(error: unknown): [] {
  if (error instanceof KubectlError && error.reason === 'Forbidden') return [];
  throw error;
}
