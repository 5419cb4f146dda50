import { retryOnConflict } from '../kube/conflict.ts';
import type { Kubectl } from '../kube/kubectl.ts';
import { type Pod, type Service, selectorFlag } from '../kube/objects.ts';
import { originalSelector } from '../plan/pod-label.ts';
import { parseRecord, type TapRecord } from '../plan/record.ts';
import { isPod, targetId, toService } from '../plan/target-id.ts';

/** The pods that a Service selects without a tap, dead ones included. A pod that is read as a Service has itself. */
export async function listPods(kubectl: Kubectl, service: Service): Promise<Pod[]> {
  if (!isPod(service))
    return await kubectl.list<Pod>(['pods', '-l', selectorFlag(originalSelector(service))]);
  const pod = await kubectl.find<Pod>([targetId(service)]);
  return pod && pod.metadata.uid === service.metadata.uid ? [pod] : [];
}

/**
 * Patches the target of a tap while the tap is on it. Reads the target again when somebody else changes it in between.
 * @param name `service/web` or `pod/web-1`.
 * @param id the id of the tap.
 * @returns false when the tap is over.
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

/** As readTarget, but undefined when there is no such object. */
export async function findTarget(kubectl: Kubectl, name: string): Promise<Service | undefined> {
  const found = await kubectl.find<Service | Pod>([name]);
  return found && toService(found);
}
