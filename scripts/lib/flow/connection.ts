import type { Fields } from './fields.ts';

/** A connection of the proxy: to the client or to the server. Times are seconds since 1970. */
export interface Connection {
  id: string;
  /** Address and port of the other end. */
  peer: [host: string, port: number] | undefined;
  /** Name and port by which the proxy connected to the server. */
  address: [host: string, port: number] | undefined;
  tls: boolean;
  tlsVersion: string | undefined;
  sni: string | undefined;
  /** When the connection was started. */
  start: number | undefined;
  /** When TCP was set up. */
  connected: number | undefined;
  /** When TLS was set up. */
  encrypted: number | undefined;
}

/** Reads a connection from a flow's state. */
export function toConnection(connection: Fields): Connection {
  return {
    id: connection.text('id'),
    peer: connection.maybe('peername', connection.address),
    address: connection.maybe('address', connection.address),
    tls: connection.boolean('tls'),
    tlsVersion: connection.maybe('tls_version', connection.text),
    sni: connection.maybe('sni', connection.text),
    start: connection.maybe('timestamp_start', connection.number),
    connected: connection.maybe('timestamp_tcp_setup', connection.number),
    encrypted: connection.maybe('timestamp_tls_setup', connection.number),
  };
}
