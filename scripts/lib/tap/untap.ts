import type { Service, Workload } from '../kube/objects.ts';
import { recordOf, type TapRecord } from '../plan/record.ts';
import { erasePatch, restorePatch } from '../plan/service-patch.ts';
import { subjectName } from '../plan/target-id.ts';
import type { Workbench } from './context.ts';
import { ancestorOf, removeAncestor } from './legacy.ts';
import { findSubject, updateSubject } from './read-target.ts';
import { removeRemains } from './remains.ts';
import { removeContainer, removeEphemerals, waitUntilGone } from './remove-proxy.ts';

/**
 * Gives a Service back: the Service first, then the proxies go, then the record. It works from whatever
 * state an `on` or an `off` died in, and when there is nothing to do, does nothing.
 * @param name `service/web` or `pod/web-1`.
 * @param onlyId gives back this one tap, and not one that someone else began since.
 * @returns whether there was a tap, or the remains of one.
 * @throws UserError when the pods do not become ready without the proxy; the Service is given back then.
 */
export async function untap(bench: Workbench, name: string, onlyId?: string): Promise<boolean> {
  const service = await findSubject(bench.kubectl, name);
  const ancestor = service && ancestorOf(service);
  if (service && ancestor) await removeAncestor(bench, service, ancestor);
  const record = service && recordOf(service);
  if (onlyId && record && record.id !== onlyId) return false;
  if (service && record) {
    await giveBack(bench, service, record);
    return true;
  }
  if (!name.startsWith('service/')) return false;
  return (await removeRemains(bench, service, name)) || ancestor !== undefined;
}

async function giveBack(bench: Workbench, service: Service, record: TapRecord): Promise<void> {
  const { kubectl, templates, talk } = bench;
  const name = subjectName(service);
  const restored = await updateSubject(kubectl, name, record.id, (service, current) =>
    restorePatch(templates, service, current),
  );
  const where = record.mode === 'sidecar' ? record.workloads.join(', ') : 'its pods';
  if (restored) talk.say(`${name} is given back; taking the proxy out of ${where} ...`);
  const erase = () => updateSubject(kubectl, name, record.id, (service) => erasePatch(templates, service));
  if (record.mode === 'ephemeral') {
    await removeEphemerals(bench, service.metadata.name, [record.container]);
    await erase();
    return;
  }
  const workloads = await Promise.all(record.workloads.map((object) => kubectl.find<Workload>([object])));
  const found = workloads.filter((workload) => workload !== undefined);
  const changed = await removeContainer(bench, found, record.container);
  // From here on nothing of ours is in any spec, so the record goes even if the pods are in trouble.
  await waitUntilGone(bench, changed, record.container).finally(erase);
}
