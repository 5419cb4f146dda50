import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import type { Value } from '../flow/tnetstring.ts';
import type { Target } from './import-target.ts';
import type { Times } from './import-times.ts';
import type { LooseObject } from './loose-object.ts';

/** The state of the connection to the client. HAR says nothing about it, but mitmproxy requires an address. */
export function toClient({ isEncrypted }: Target, times: Times): Value {
  return toConnection(isEncrypted, {
    peername: ['', 0],
    sockname: ['', 0],
    timestamp_start: times.start,
    timestamp_tls_setup: null,
    sni: null,
    mitmcert: null,
    proxy_mode: 'regular',
  });
}

/** The state of the connection to the server. */
export function toServer(
  entry: LooseObject,
  { isEncrypted, host, port }: Target,
  { connection }: Times,
): Value {
  const address = entry.text('serverIPAddress')?.replace(/^\[|\]$/g, '') ?? '';
  return toConnection(isEncrypted, {
    peername: isIP(address) ? [address, port] : null,
    sockname: null,
    address: [host, port],
    via: null,
    timestamp_start: connection?.start ?? null,
    timestamp_tcp_setup: connection?.connected ?? null,
    timestamp_tls_setup: connection?.encrypted ?? null,
    sni: isEncrypted && !isIP(host) ? host : null,
  });
}

function toConnection(tls: boolean, fields: Record<string, Value>): Value {
  return new Map<string, Value>(
    Object.entries({
      id: randomUUID(),
      transport_protocol: 'tcp',
      tls,
      tls_version: null,
      alpn: null,
      alpn_offers: [],
      cipher: null,
      cipher_list: [],
      certificate_list: [],
      error: null,
      timestamp_end: null,
      ...fields,
    }),
  );
}
