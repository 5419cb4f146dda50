import type { Dict } from '../flow/tnetstring.ts';
import type { Account } from './budget.ts';
import type { Link } from './link.ts';
import type { Side } from './side.ts';

/** What mitmproxy says of a request without a response when one side has gone. */
export const DISCONNECTED: Record<Side, string> = {
  client: 'Client disconnected.',
  server: 'server closed connection',
};

/** Bytes that one side sent. */
export interface Piece {
  side: Side;
  bytes: Buffer;
  /** Seconds since 1970. */
  time: number;
}

/** Why no more of a connection is read. */
export interface Ending {
  /** The side that ended it; undefined when neither did: the file ends, or bytes are missing. */
  by: Side | undefined;
  isReset: boolean;
  /** What is said of a message that did not end; where a side ended it, in mitmproxy's words. */
  message: string;
  time: number;
}

/** What will be a flow once it is asked for. */
export interface FlowSource {
  /** What it takes in memory, as charged to the connection's account. */
  readonly cost: number;
  /** The flow, in the state that mitmproxy's have. */
  toState(): Dict;
}

/** What makes flows of a connection's bytes. */
export interface Protocol {
  /** Whether it can begin again after bytes are missing. */
  readonly canResume: boolean;
  /** Reads a piece. Its bytes are a view that is valid during the call. */
  push(side: Side, bytes: Buffer, time: number): void;
  /** One side has sent everything. */
  end(side: Side, time: number): void;
  /** Nothing more comes: whatever is open becomes a flow. */
  close(ending: Ending): void;
}

/** What a protocol knows of the connection that it reads. */
export interface Host {
  readonly link: Link;
  readonly account: Account;
  emit(source: FlowSource): void;
  /** Lets another protocol read on, from the rest of what came. */
  become(protocol: Protocol, rest: Piece[]): void;
  /** Lets the protocol be found out anew, as within the tunnel of a CONNECT. */
  detect(rest: Piece[]): void;
  /** Shows the rest as bytes, with the reason why it can't be read. */
  giveUp(reason: string, rest: Piece[]): void;
}
