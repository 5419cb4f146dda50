import { UserError } from './error.ts';
import type { Service, ServicePort } from './kubernetes.ts';
import type { Templates } from './template.ts';

/** The annotation on the Service that holds the record of its tap. */
export const ANNOTATION = 'mittens.dev/tap';

/** A Service port that is tapped. */
export interface TappedPort {
  /** The Service's port; with the protocol TCP it is unique in the Service. */
  port: number;
  /** What targetPort was, and will be again. */
  targetPort: number | string;
  /** What the app speaks there. */
  scheme: 'http' | 'https';
  /** The port number on which the app listens in its pods. */
  appPort: number;
  /** The port number on which the proxy listens in the same pods. */
  listenPort: number;
}

/**
 * The record of a tap: its lock, the journal that says what to give back, and all that another machine
 * needs to attach to it. JSON in an annotation of the Service, written before the first change.
 */
export interface TapRecord {
  version: 1;
  /** Tells one tap of a Service from the next. */
  id: string;
  /** `starting` until the Service points at the proxy, `stopping` from when it no longer does. */
  phase: 'starting' | 'on' | 'stopping';
  mode: 'sidecar';
  /** What runs in the container: the TUI, or for a capture mitmdump. Earlier records do not say: the TUI. */
  program?: 'mitmproxy' | 'mitmdump';
  /** user@host of whoever began it. */
  owner: string;
  /** When, in ISO 8601. */
  started: string;
  /** The name of the proxy's container. */
  container: string;
  /** `kind/name` of each workload that has the container. */
  workloads: string[];
  ports: TappedPort[];
}

/**
 * The record on a Service; undefined when it has none.
 * @throws UserError when it has one that can't be read: it was cut, edited, or is from a later version.
 */
export function recordOf(service: Service): TapRecord | undefined {
  const text = service.metadata.annotations?.[ANNOTATION];
  if (text === undefined) return undefined;
  const record = parseJson(text);
  if (isRecord(record)) return record;
  const { name, namespace } = service.metadata;
  throw new UserError(`annotation ${ANNOTATION} of service/${name} is not a record that this version reads`, {
    hint: `use the version that wrote it; or: kubectl annotate service ${name} -n ${namespace} ${ANNOTATION}-, then off`,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// Whoever may edit the Service may edit the record; `off` acts on it with the rights of whoever runs it.
// So nothing passes that is not a name of ours or a plain port.
function isRecord(value: unknown): value is TapRecord {
  const record = value as Partial<TapRecord> | null;
  return (
    typeof record === 'object' &&
    record !== null &&
    record.version === 1 &&
    matches(record.id, /^[0-9a-f]{8}$/) &&
    matches(record.phase, /^(starting|on|stopping)$/) &&
    record.mode === 'sidecar' &&
    (record.program === undefined || matches(record.program, /^mitm(proxy|dump)$/)) &&
    typeof record.owner === 'string' &&
    matches(record.started, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/) &&
    matches(record.container, /^mittens-[a-z0-9-]{1,55}$/) &&
    isArrayOf(record.workloads, (item) =>
      matches(item, /^(deployment|statefulset|daemonset)\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/),
    ) &&
    isArrayOf(record.ports, isTappedPort)
  );
}

function isTappedPort(value: unknown): boolean {
  const port = value as Partial<TappedPort> | null;
  return (
    typeof port === 'object' &&
    port !== null &&
    matches(port.scheme, /^https?$/) &&
    [port.port, port.appPort, port.listenPort].every(isPortNumber) &&
    (isPortNumber(port.targetPort) || matches(port.targetPort, /^[a-z0-9-]{1,15}$/))
  );
}

function isPortNumber(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) < 65536;
}

function isArrayOf(value: unknown, test: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(test);
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}

/** The Service's port that a record speaks of; undefined when someone has removed it since. */
export function servicePort(service: Service, port: number): ServicePort | undefined {
  return service.spec.ports?.find((candidate) => candidate.port === port && isTcp(candidate));
}

export function isTcp(port: ServicePort): boolean {
  return (port.protocol ?? 'TCP') === 'TCP';
}

/** The patch that writes a record and changes nothing else. */
export function writePatch(templates: Templates, service: Service, record: TapRecord): unknown {
  return templates.render('record', patchValues(service, record));
}

/** The patch that points the tapped ports at the proxy. */
export function retargetPatch(templates: Templates, service: Service, record: TapRecord): unknown {
  const ports = retarget(service, record, ({ listenPort }) => listenPort);
  return templates.render('service', { ...patchValues(service, { ...record, phase: 'on' }), ports });
}

/**
 * The patch that points the tapped ports at the app again. A port that no longer points at the proxy was
 * changed by someone else, and stays as it is.
 */
export function restorePatch(templates: Templates, service: Service, record: TapRecord): unknown {
  const ports = retarget(service, record, ({ targetPort, listenPort }, current) =>
    current.targetPort === listenPort ? targetPort : current.targetPort,
  );
  return templates.render('service-restore', {
    ...patchValues(service, { ...record, phase: 'stopping' }),
    ports,
  });
}

/** The patch that erases the record. */
export function erasePatch(templates: Templates, service: Service): unknown {
  return templates.render('record-remove', { resourceVersion: service.metadata.resourceVersion });
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
