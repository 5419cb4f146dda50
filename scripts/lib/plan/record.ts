import { kubectlCommand } from '../cli/to-run.ts';
import type { Service } from '../kube/objects.ts';
import { UserError } from '../util/error.ts';
import { message } from '../util/message.ts';
import { PROTOCOLS, type Protocol } from './protocol.ts';
import { commandFor, targetId } from './target-id.ts';

/** The annotation on the Service that holds the record. A pod that is tapped on its own also has it as a label. */
export const ANNOTATION = 'mittens.dev/tap';

/** A Service port that is tapped. */
export interface TappedPort {
  /** The port of the Service; unique among its TCP ports. */
  port: number;
  /** The original targetPort. */
  targetPort: number | string;
  /** How the proxy reads connections. */
  protocol: Protocol;
  /** The port number on which the proxy listens in the pods. */
  listenPort: number;
}

/**
 * The record of a tap: JSON in an annotation of the Service, written before the first change. It is the lock, it says
 * what to restore, and it has all that another machine needs to attach.
 */
export interface TapRecord {
  version: 1;
  /** Differs between taps: 8 hexadecimal digits. */
  id: string;
  /** `starting` until the Service points at the proxy; `stopping` as soon as it no longer does. */
  phase: 'starting' | 'on' | 'stopping';
  /** A container in the pod template, or an ephemeral container in running pods. */
  mode: 'sidecar' | 'ephemeral';
  /**
   * What runs in the container: the TUI, the web interface, or for a capture mitmdump, or the door alone, which writes a
   * wire file.
   */
  program: 'mitmproxy' | 'mitmweb' | 'mitmdump' | 'wire';
  /** user@host of the user who began the tap. */
  owner: string;
  /** ISO 8601. */
  started: string;
  /** The name of the proxy's container. */
  container: string;
  /** `kind/name` of each workload whose pods have the container. */
  workloads: string[];
  ports: TappedPort[];
  /** The only pod that gets the Service's traffic; undefined for all. */
  pod?: string;
  /** The port in the pods for the readiness probe of the proxy; undefined without a restart. */
  health?: number;
  /** The port of mitmweb in the pods, and its token. */
  web?: { port: number; token: string };
  /** The Secrets with the certificates that the proxy shows to clients and to the app. */
  tlsSecret?: string;
  clientTlsSecret?: string;
}

/** Whether a tap is a capture: it belongs to whoever began it, and nobody looks at it. */
export function isCapture({ program }: Pick<TapRecord, 'program'>): boolean {
  return program === 'mitmdump' || program === 'wire';
}

/**
 * Parses the record of a Service; undefined when it has none.
 * @throws UserError for a record that is damaged, or from a later version.
 */
export function parseRecord(service: Service): TapRecord | undefined {
  const text = service.metadata.annotations?.[ANNOTATION];
  if (text === undefined) return undefined;
  const record = parseJson(text);
  if (isRecord(record)) return record;
  const name = targetId(service);
  throw new UserError(`annotation ${ANNOTATION} of ${name} is not a record that this version reads`, {
    hint: message`use the version of mittens that wrote it
or remove it: ${kubectlCommand(['annotate', name, `${ANNOTATION}-`], { namespace: service.metadata.namespace })}
then restore the Service: ${commandFor('off', service)}`,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// Everybody who may edit the Service may edit the record, and `off` acts on it with the rights of another user.
// So only our own names and plain port numbers are accepted.
function isRecord(value: unknown): value is TapRecord {
  const record = value as Partial<TapRecord> | null;
  return (
    typeof record === 'object' &&
    record !== null &&
    record.version === 1 &&
    matches(record.id, /^[0-9a-f]{8}$/) &&
    matches(record.phase, /^(starting|on|stopping)$/) &&
    matches(record.mode, /^(sidecar|ephemeral)$/) &&
    matches(record.program, /^(mitm(proxy|web|dump)|wire)$/) &&
    typeof record.owner === 'string' &&
    matches(record.started, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/) &&
    matches(record.container, /^mittens-[a-z0-9-]{1,55}$/) &&
    // `off` changes only the workloads of a sidecar tap; others are only shown.
    isArrayWith(record.workloads, (item) =>
      matches(item, record.mode === 'sidecar' ? WITH_TEMPLATE : ANY_OWNER),
    ) &&
    isArrayWith(record.ports, isTappedPort) &&
    [record.pod, record.tlsSecret, record.clientTlsSecret].every(
      (name) => name === undefined || matches(name, OBJECT_NAME),
    ) &&
    (record.health === undefined || isPortNumber(record.health)) &&
    (record.web === undefined || isWeb(record.web))
  );
}

const WITH_TEMPLATE = /^(deployment|statefulset|daemonset|replicaset)\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
const ANY_OWNER = /^[a-z]+\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
/** The name of a pod or Secret: an RFC 1123 subdomain. */
const OBJECT_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

function isTappedPort(value: unknown): boolean {
  const port = value as Partial<TappedPort> | null;
  return (
    typeof port === 'object' &&
    port !== null &&
    PROTOCOLS.some((protocol) => protocol === port.protocol) &&
    [port.port, port.listenPort].every(isPortNumber) &&
    (isPortNumber(port.targetPort) || matches(port.targetPort, /^[a-z0-9-]{1,15}$/))
  );
}

function isWeb({ port, token }: { port?: unknown; token?: unknown }): boolean {
  return isPortNumber(port) && matches(token, /^[0-9a-f]{32}$/);
}

function isPortNumber(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) < 65536;
}

function isArrayWith(value: unknown, test: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(test);
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}
