import { retryOnConflict } from '../kube/conflict.ts';
import type { Kubectl } from '../kube/kubectl.ts';
import { type Pod, type Service, selectorFlag } from '../kube/objects.ts';
import { originalSelector } from '../plan/pod-label.ts';
import { parseRecord, type TapRecord } from '../plan/record.ts';
import { isPod, targetId, toService } from '../plan/target-id.ts';

/** The pods behind a Service whether it is tapped or not, dead ones too; of a pod that is tapped by itself, that pod. */
export async function listPods(kubectl: Kubectl, service: Service): Promise<Pod[]> {
  if (!isPod(service))
    return await kubectl.list<Pod>(['pods', '-l', selectorFlag(originalSelector(service))]);
  const pod = await kubectl.find<Pod>([targetId(service)]);
  return pod && pod.metadata.uid === service.metadata.uid ? [pod] : [];
}

/**
 * Patches what bears the record of one tap as long as it does, which is read with it; when someone else
 * changed it between our reading and our writing, reads it anew.
 * @param name `service/web` or `pod/web-1`.
 * @returns false when the tap is no longer there.
 */
export async function updateTarget(
  kubectl: Kubectl,
  name: string,
  id: string,
  patchFor: (service: Service, record: TapRecord) => unknown,
): Promise<boolean> {
  return await retryOnConflict(10, async () => {
    const service = await findTarget(kubectl, name);
    const record = service && parseRecord(service);
    if (!service || record?.id !== id) return false;
    await kubectl.patch(name, 'merge', patchFor(service, record));
    return true;
  });
}

/** Reads a Service, or a pod as one, by `kind/name`. */
export async function readTarget(kubectl: Kubectl, name: string): Promise<Service> {
  return toService(await kubectl.get<Service | Pod>([name]));
}

/** As getSubject, but undefined when it is not there. */
export async function findTarget(kubectl: Kubectl, name: string): Promise<Service | undefined> {
  const found = await kubectl.find<Service | Pod>([name]);
  return found && toService(found);
}
