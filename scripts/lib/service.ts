import { UsageError } from './error.ts';
import { type Kubectl, KubectlError } from './kubectl.ts';
import { type Pod, type Service, selectorFlag } from './kubernetes.ts';
import { recordOf, type TapRecord } from './record.ts';
import { parseTarget } from './target.ts';

/** A Service's name, and kubectl in its namespace: what a command's argument means. */
export interface Located {
  kubectl: Kubectl;
  name: string;
}

/** Where a Service is: an argument may bring its namespace along. */
export function locate(kubectl: Kubectl, argument: string): Located {
  const { namespace, service } = parseTarget(argument);
  const flag = kubectl.connection.namespace;
  if (namespace && flag && namespace !== flag) {
    throw new UsageError(
      `"${argument}" is not in the namespace ${flag}`,
      'leave out --namespace or the prefix',
    );
  }
  return { kubectl: namespace ? kubectl.in(namespace) : kubectl, name: service };
}

/** The pods that a Service selects, dead ones too. */
export async function podsOf(kubectl: Kubectl, service: Service): Promise<Pod[]> {
  return await kubectl.list<Pod>(['pods', '-l', selectorFlag(service.spec.selector ?? {})]);
}

/**
 * Patches a Service as long as it bears the record of one tap, which is read with it; when someone else
 * changed it between our reading and our writing, reads it anew.
 * @returns false when the tap is no longer there.
 */
export async function updateService(
  kubectl: Kubectl,
  name: string,
  id: string,
  patchFor: (service: Service, record: TapRecord) => unknown,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const service = await kubectl.find<Service>([`service/${name}`]);
    const record = service && recordOf(service);
    if (!service || record?.id !== id) return false;
    try {
      await kubectl.patch(`service/${name}`, 'merge', patchFor(service, record));
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
