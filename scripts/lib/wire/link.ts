import { randomUUID } from 'node:crypto';
import type { Dict, Value } from '../flow/tnetstring.ts';
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
  #client: Dict;
  #server: Dict;

  constructor(ends: Ends) {
    this.ends = ends;
    this.#client = toClient(ends);
    this.#server = toServer(ends);
  }

  /** Where requests went. */
  get address(): Address {
    return this.ends.server ?? findAddress(this.ends.port);
  }

  /** The connection of the client, as the flow's state has it. It is shared by flows, and never changed. */
  get client(): Dict {
    return this.#client;
  }

  get server(): Dict {
    return this.#server;
  }

  /** One side has closed its connection. Flows that were given before do not know. */
  close(side: Side, time: number): void {
    if (side === 'client') this.#client = withEnd(this.#client, time);
    else this.#server = withEnd(this.#server, time);
  }
}

function withEnd(connection: Dict, time: number): Dict {
  return connection.get('timestamp_end') === null
    ? new SharedDict(connection).set('timestamp_end', time)
    : connection;
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
function toClient(ends: Ends): Dict {
  const { client, port, start } = ends;
  return new SharedDict([
    ...COMMON(),
    ['peername', client],
    ['sockname', ['', port.listen]],
    ['timestamp_start', start],
    ['mitmcert', null],
    ['proxy_mode', findMode(ends)],
  ]);
}

function toServer({ server, port, start }: Ends): Dict {
  return new SharedDict([
    ...COMMON(),
    ['peername', server ?? null],
    ['sockname', null],
    ['address', server ?? findAddress(port)],
    ['timestamp_start', start],
    ['timestamp_tcp_setup', server ? start : null],
    ['via', null],
  ]);
}

const COMMON = (): [string, Value][] => [
  ['id', randomUUID()],
  ['transport_protocol', 'tcp'],
  ['error', null],
  ['tls', false],
  ['certificate_list', []],
  ['alpn', null],
  ['alpn_offers', []],
  ['cipher', null],
  ['cipher_list', []],
  ['tls_version', null],
  ['sni', null],
  ['timestamp_end', null],
  ['timestamp_tls_setup', null],
];
