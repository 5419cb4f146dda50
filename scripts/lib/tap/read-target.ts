import { type Kubectl, KubectlError } from '../kube/kubectl.ts';
import { type Pod, type Service, selectorFlag } from '../kube/objects.ts';
import { selectorOf } from '../plan/pod-label.ts';
import { recordOf, type TapRecord } from '../plan/record.ts';
import { findSubject, isPod, subjectName } from '../plan/target-id.ts';

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

/** Whether someone else changed the object between our reading and our writing. */
export function isConflict(error: unknown): boolean {
  return error instanceof KubectlError && error.reason === 'Conflict';
}
