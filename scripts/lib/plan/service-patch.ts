import { isTcp, type Service, type ServicePort } from '../kube/objects.ts';
import type { Templates } from '../util/template.ts';
import { labelKey, toRemovedLabels } from './pod-label.ts';
import type { TappedPort, TapRecord } from './record.ts';
import { isPod } from './target-id.ts';

/** The patch that writes a record and changes nothing else. */
export function writePatch(templates: Templates, service: Service, record: TapRecord): unknown {
  const values = patchValues(service, record);
  return isPod(service)
    ? templates.render('pod-record', { ...values, id: record.id })
    : templates.render('record', values);
}

/** The patch that points the tapped ports at the proxy. Without a restart, it also selects only pods with a proxy. */
export function retargetPatch(templates: Templates, service: Service, record: TapRecord): unknown {
  const on: TapRecord = { ...record, phase: 'on' };
  if (isPod(service)) return writePatch(templates, service, on);
  const ports = retarget(service, record, ({ listenPort }) => listenPort);
  const selector = record.mode === 'ephemeral' ? { [labelKey(service.metadata.name)]: record.id } : {};
  return templates.render('service', { ...patchValues(service, on), selector, ports });
}

/**
 * The patch that points the tapped ports at the app again. Leaves a port that somebody else has changed since.
 */
export function restorePatch(templates: Templates, service: Service, record: TapRecord): unknown {
  const stopping: TapRecord = { ...record, phase: 'stopping' };
  if (isPod(service)) return writePatch(templates, service, stopping);
  const ports = retarget(service, record, ({ targetPort, listenPort }, current) =>
    current.targetPort === listenPort ? targetPort : current.targetPort,
  );
  return templates.render('service-restore', {
    ...patchValues(service, stopping),
    selector: toRemovedLabels(service.spec.selector),
    ports,
  });
}

/** The patch that erases the record. */
export function erasePatch(templates: Templates, service: Service): unknown {
  const name = isPod(service) ? 'pod-record-remove' : 'record-remove';
  return templates.render(name, { resourceVersion: service.metadata.resourceVersion });
}

function patchValues(service: Service, record: TapRecord): { resourceVersion: string; record: string } {
  return { resourceVersion: service.metadata.resourceVersion, record: JSON.stringify(record) };
}

function retarget(
  service: Service,
  record: TapRecord,
  target: (tapped: TappedPort, current: ServicePort) => number | string | undefined,
): ServicePort[] {
  return (service.spec.ports ?? []).map((current) => {
    const tapped = isTcp(current) && record.ports.find(({ port }) => port === current.port);
    const targetPort = tapped ? target(tapped, current) : current.targetPort;
    return targetPort === undefined ? current : { ...current, targetPort };
  });
}
