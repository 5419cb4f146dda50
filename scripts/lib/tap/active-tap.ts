import type { Kubectl } from '../kube/kubectl.ts';
import type { Service } from '../kube/objects.ts';
import { parseRecord, type TapRecord } from '../plan/record.ts';
import { targetId } from '../plan/target-id.ts';
import { UserError } from '../util/error.ts';
import { findTarget } from './read-target.ts';

/** A tap and its Service, as they were read. `kubectl` is in the Service's namespace. */
export interface ActiveTap {
  kubectl: Kubectl;
  service: Service;
  record: TapRecord;
}

/**
 * Finds the tap of a Service or pod.
 * @param name `service/web` or `pod/web-1`.
 * @returns undefined when there is no such object, or no tap on it.
 */
export async function findActiveTap(kubectl: Kubectl, name: string): Promise<ActiveTap | undefined> {
  const service = await findTarget(kubectl, name);
  const record = service && parseRecord(service);
  return record && { kubectl: kubectl.in(service.metadata.namespace), service, record };
}

/** The phase of a tap now; undefined when it is over, even if another tap of the same Service has begun. */
export async function readPhase({
  kubectl,
  service,
  record,
}: ActiveTap): Promise<TapRecord['phase'] | undefined> {
  const current = await findActiveTap(kubectl, targetId(service));
  return current?.record.id === record.id ? current.record.phase : undefined;
}

/** The error of a tap that somebody else ends while it starts. */
export function errorRestored(service: Service): UserError {
  return new UserError(`${targetId(service)} was restored by someone else meanwhile`);
}
