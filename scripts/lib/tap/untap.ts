import type { Service, Workload } from '../kube/objects.ts';
import { findLegacyTool } from '../plan/legacy.ts';
import { parseRecord, type TapRecord } from '../plan/record.ts';
import { erasePatch, restorePatch } from '../plan/service-patch.ts';
import { targetId } from '../plan/target-id.ts';
import type { Context } from './context.ts';
import { removeLegacyTap } from './legacy.ts';
import { findTarget, updateTarget } from './read-target.ts';
import { removeRemains } from './remains.ts';
import { removeEphemeralProxies, removeSidecars, waitForRemoval } from './remove-proxy.ts';

/**
 * Ends a tap: restores the Service, then removes the proxies, then the record. Works in every state that an
 * `on` or `off` left when it died, and when there is nothing to do.
 * @param name `service/web` or `pod/web-1`.
 * @param onlyId the id of the only tap to end; a later tap of somebody else stays on.
 * @returns whether there was a tap, or the remains of one.
 * @throws UserError when the pods do not become ready without the proxy; the Service is restored even then.
 */
export async function untap(context: Context, name: string, onlyId?: string): Promise<boolean> {
  const service = await findTarget(context.kubectl, name);
  const tool = service && findLegacyTool(service);
  if (service && tool) await removeLegacyTap(context, service, tool);
  const record = service && parseRecord(service);
  if (onlyId && record && record.id !== onlyId) return false;
  if (service && record) {
    await removeTap(context, service, record);
    return true;
  }
  if (!name.startsWith('service/')) return false;
  return (await removeRemains(context, service, name)) || tool !== undefined;
}

async function removeTap(context: Context, service: Service, record: TapRecord): Promise<void> {
  const { kubectl, templates, log } = context;
  const name = targetId(service);
  const restored = await updateTarget(kubectl, name, record.id, (service, current) =>
    restorePatch(templates, service, current),
  );
  const where = record.mode === 'sidecar' ? record.workloads.join(', ') : 'its pods';
  if (restored)
    log.say(`requests to ${name} reach the app directly again; removing the proxy from ${where} ...`);
  const erase = () => updateTarget(kubectl, name, record.id, (service) => erasePatch(templates, service));
  if (record.mode === 'ephemeral') {
    await removeEphemeralProxies(context, service.metadata.name, [record.container]);
    await erase();
    return;
  }
  const workloads = await Promise.all(record.workloads.map((object) => kubectl.find<Workload>([object])));
  const found = workloads.filter((workload) => workload !== undefined);
  const changed = await removeSidecars(context, found, record.container);
  // No spec has the proxy any more, so the record goes even when the pods do not become ready.
  await waitForRemoval(context, changed, record.container).finally(erase);
}
