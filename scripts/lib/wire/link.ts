import { randomUUID } from 'node:crypto';
import type { Dict } from '../flow/tnetstring.ts';
import { SharedDict } from '../flow/tnetstring-encode.ts';
import type { Side } from './side.ts';

/** A host and its port. */
export type Address = [host: string, port: number];

/** A port of the pod, as a wire file's beginning has it. */
export interface Port {
  listen: number;
  app: number;
  protocol: string;
}

/** What is known of a connection's two ends. */
export interface Ends {
  client: Address;
  /** Undefined if the app refused the connection. */
  server: Address | undefined;
  port: Port;
  /** When the client connected, in seconds since 1970. */
  start: number;
}

/** The two connections of a flow, client and server, in the state that mitmproxy's have. */
export class Link {
  readonly ends: Ends;
  readonly #client: Dynamic = {};
  readonly #server: Dynamic = {};

  constructor(ends: Ends) {
    this.ends = ends;
  }

  /** Where requests went. */
  get address(): Address {
    return this.ends.server ?? findAddress(this.ends.port);
  }

  /** The connection of the client, as the flow's state has it. It is shared by flows, and never changed. */
  get client(): Dict {
    this.#client.state ??= toClient(this.ends, this.#client);
    return this.#client.state;
  }

  get server(): Dict {
    this.#server.state ??= toServer(this.ends, this.#server);
    return this.#server.state;
  }

  /** One side has closed its connection. Flows that were given before do not know. */
  close(side: Side, time: number): void {
    const connection = side === 'client' ? this.#client : this.#server;
    if (connection.end !== undefined) return;
    connection.end = time;
    connection.state = undefined;
  }
}

/** What comes to be known of a connection. Its state is made when a flow asks for it: most connections are closed after. */
interface Dynamic {
  id?: string;
  end?: number;
  state?: Dict | undefined;
}

/** An app that refuses a connection was looked for on localhost last. */
function findAddress({ app }: Port): Address {
  return ['localhost', app];
}

/** The mode in which mitmproxy would have served it, as templates/addon/port.py names it. */
function findMode({ server, port }: Ends): string {
  const [host] = server ?? findAddress(port);
  const scheme = port.protocol === 'https' ? 'https' : 'http';
  return `reverse:${scheme}://${host.includes(':') ? `[${host}]` : host}:${port.app}@${port.listen}`;
}

/** The address on which the proxy was reached has no host: the wire file does not tell it. */
function toClient(ends: Ends, known: Dynamic): Dict {
  const { client, port, start } = ends;
  return toState(known)
    .set('peername', client)
    .set('sockname', ['', port.listen])
    .set('timestamp_start', start)
    .set('mitmcert', null)
    .set('proxy_mode', findMode(ends));
}

function toServer({ server, port, start }: Ends, known: Dynamic): Dict {
  return toState(known)
    .set('peername', server ?? null)
    .set('sockname', null)
    .set('address', server ?? findAddress(port))
    .set('timestamp_start', start)
    .set('timestamp_tcp_setup', server ? start : null)
    .set('via', null);
}

/** What both have. */
function toState(known: Dynamic): SharedDict {
  known.id ??= randomUUID();
  return new SharedDict()
    .set('id', known.id)
    .set('transport_protocol', 'tcp')
    .set('error', null)
    .set('tls', false)
    .set('certificate_list', [])
    .set('alpn', null)
    .set('alpn_offers', [])
    .set('cipher', null)
    .set('cipher_list', [])
    .set('tls_version', null)
    .set('sni', null)
    .set('timestamp_end', known.end ?? null)
    .set('timestamp_tls_setup', null);
}
