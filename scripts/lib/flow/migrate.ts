import { decodeText, FlowError } from './fields.ts';
import { type Dict, findExtent, type Value } from './tnetstring.ts';

/** The version of the flow format that we write: that of mitmproxy 11 and 12. */
export const FLOW_VERSION = 21;
/** The version that mitmproxy 8.1 writes. */
const OLDEST_VERSION = 17;

/**
 * Brings a flow's state to FLOW_VERSION, in place. Format: mitmproxy/io/compat.py.
 * @throws FlowError if the version is missing, older than that of mitmproxy 8.1, or newer than FLOW_VERSION.
 */
export function migrate(state: Dict): Dict {
  const version = checkVersion(state.get('version'));
  for (const step of STEPS.slice(version - OLDEST_VERSION)) {
    for (const name of ['client_conn', 'server_conn']) {
      const connection = state.get(name);
      if (!(connection instanceof Map)) throw new FlowError(`${name} is not a dictionary`);
      step(connection, name === 'client_conn');
    }
  }
  state.set('version', FLOW_VERSION);
  const backup = state.get('backup');
  if (backup instanceof Map) migrate(backup);
  return state;
}

/** Up to version 3 the version was that of mitmproxy, as a list: `[0, 18]`. */
function checkVersion(value: Value | undefined): number {
  if (isOldVersion(value)) throw oldVersionError(value.join('.'));
  if (typeof value !== 'number' || !Number.isInteger(value))
    throw new FlowError('the flow format version is missing');
  if (value < 1 || value > FLOW_VERSION) {
    const known = `known are ${OLDEST_VERSION} to ${FLOW_VERSION}`;
    throw new FlowError(`flow format version ${value} is unknown; ${known}`);
  }
  if (value < OLDEST_VERSION) throw oldVersionError(String(value));
  return value;
}

function isOldVersion(value: Value | undefined): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'number');
}

function oldVersionError(version: string): FlowError {
  return new FlowError(
    `mitmproxy 8.0 or earlier wrote it (flow format version ${version.slice(0, 20)})`,
    'mitmproxy 8.1 and later can convert the file: mitmdump -n -r OLD.mitm -w NEW.mitm',
  );
}

/**
 * Recognizes flows of mitmproxy before 0.18, which wrote the keys of dictionaries as bytes.
 * @returns the error to throw; undefined if the bytes are something else.
 */
export function findOldVersion(buffer: Buffer): FlowError | undefined {
  try {
    const version = findField(buffer, 'version,') ?? '';
    const [, list] = /^\d+:((?:\d:\d{1,2}#){2,3})\]/.exec(version) ?? [];
    const numbers = list?.match(/\d+(?=#)/g);
    return numbers ? oldVersionError(numbers.join('.')) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Finds a field of the outermost dictionary.
 * @param key with its tag.
 * @returns the first bytes of the value.
 * @throws TnetstringError for bytes that are not a tnetstring.
 */
function findField(buffer: Buffer, key: string): string | undefined {
  const limit = buffer.length - 1;
  let at = findExtent(buffer, 0)?.start ?? limit;
  let isValue = false;
  while (at < limit) {
    const extent = findExtent(buffer, at);
    if (!extent || extent.end >= limit) return undefined;
    const isFound = !isValue && buffer.toString('latin1', extent.start, extent.end + 1) === key;
    at = extent.end + 1;
    if (isFound) return buffer.toString('latin1', at, at + 40);
    isValue = !isValue;
  }
  return undefined;
}

type Step = (connection: Dict, isClient: boolean) => void;

/** What changed from version 17 to 18, from 18 to 19, and so on. Only connections ever changed. */
const STEPS: Step[] = [
  (connection, isClient) => {
    if (isClient) connection.set('proxy_mode', 'regular');
  },
  toVersion19,
  (connection) => connection.delete('state'),
  (connection) => {
    if (connection.get('tls_version') === 'QUIC') connection.set('tls_version', 'QUICv1');
  },
];

function toVersion19(connection: Dict, isClient: boolean): void {
  if (isClient) {
    rename(connection, 'address', 'peername');
    connection.set('timestamp_start', connection.get('timestamp_start') ?? 0);
    connection.delete('tls_extensions');
  } else {
    rename(connection, 'ip_address', 'peername');
    rename(connection, 'source_address', 'sockname');
    rename(connection, 'via2', 'via');
  }
  connection.delete('tls_established');
  rename(connection, 'cipher_name', 'cipher');
  if (!connection.has('transport_protocol')) connection.set('transport_protocol', 'tcp');
  for (const name of ['peername', 'sockname', 'address']) {
    const address = connection.get(name);
    if (Array.isArray(address) && Buffer.isBuffer(address[0])) address[0] = decodeText(address[0]);
  }
  const [host] = [connection.get('address')].flat();
  if (connection.get('sni') === true) connection.set('sni', typeof host === 'string' ? host : null);
}

function rename(connection: Dict, from: string, to: string): void {
  connection.set(to, connection.get(from) ?? null);
  connection.delete(from);
}
