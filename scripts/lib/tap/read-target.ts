import { isConflict } from '../kube/conflict.ts';
import type { Kubectl } from '../kube/kubectl.ts';
import { type Pod, type Service, selectorFlag } from '../kube/objects.ts';
import { selectorOf } from '../plan/pod-label.ts';
import { recordOf, type TapRecord } from '../plan/record.ts';
import { asService, isPod, subjectName } from '../plan/target-id.ts';

/** The pods behind a Service whether it is tapped or not, dead ones too; of a pod that is tapped by itself, that pod. */
export async function podsOf(kubectl: Kubectl, service: Service): Promise<Pod[]> {
  if (!isPod(service)) return await kubectl.list<Pod>(['pods', '-l', selectorFlag(selectorOf(service))]);
  const pod = await kubectl.find<Pod>([subjectName(service)]);
  return pod && pod.metadata.uid === service.metadata.uid ? [pod] : [];
}

/**
 * Patches what bears the record of one tap as long as it does, which is read with it; when someone else
 * changed it between our reading and our writing, reads it anew.
 * @param name `service/web` or `pod/web-1`.
 * @returns false when the tap is no longer there.
 */
export async function updateSubject(
  kubectl: Kubectl,
  name: string,
  id: string,
  patchFor: (service: Service, record: TapRecord) => unknown,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const service = await findSubject(kubectl, name);
    const record = service && recordOf(service);
    if (!service || record?.id !== id) return false;
    try {
      await kubectl.patch(name, 'merge', patchFor(service, record));
      return true;
    } catch (error) {
      if (!isConflict(error) || attempt === 10) throw error;
    }
  }
}

/** Reads a Service, or a pod as one, by `kind/name`. */
export async function getSubject(kubectl: Kubectl, name: string): Promise<Service> {
  return asService(await kubectl.get<Service | Pod>([name]));
}

/** As getSubject, but undefined when it is not there. */
export async function findSubject(kubectl: Kubectl, name: string): Promise<Service | undefined> {
  const found = await kubectl.find<Service | Pod>([name]);
  return found && asService(found);
}
