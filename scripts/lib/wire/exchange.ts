import type { Dict } from '../flow/tnetstring.ts';
import { Body, describeCut } from './body.ts';
import type { Account } from './budget.ts';
import { buildState, type Failure } from './flow-state.ts';
import type { RawHeader, RequestHead, ResponseHead } from './head.ts';
import type { FlowSource, Host } from './protocol.ts';

/** What an exchange and its objects take in memory, and each of its headers: both measured, and rounded up. */
const EXCHANGE_COST = 2048;
const HEADER_COST = 320;

/** A request or a response: its head, and what came of the rest. */
export class Message<Head extends RequestHead | ResponseHead> {
  readonly head: Head;
  /** When its first byte came, and its last, in seconds since 1970. */
  readonly start: number;
  end: number | undefined;
  /** Whether nothing more of it comes, be it whole or not. */
  isDone = false;
  readonly body: Body;
  trailers: RawHeader[] | undefined;

  constructor(head: Head, start: number, account: Account) {
    this.head = head;
    this.start = start;
    this.body = new Body(account);
  }

  /** All of it has come. */
  finish(time: number): void {
    this.end = time;
    this.isDone = true;
  }

  toState(): Dict {
    const state: Dict = new Map();
    state.set('http_version', this.head.httpVersion);
    state.set('headers', this.head.headers);
    state.set('content', this.body.view());
    state.set('trailers', this.trailers ?? null);
    state.set('timestamp_start', this.start);
    return state.set('timestamp_end', this.end ?? null);
  }
}

/** A request and its response, as far as they have come. */
export class Exchange implements FlowSource {
  readonly #host: Host;
  readonly request: Message<RequestHead>;
  #response: Message<ResponseHead> | undefined;
  #error: Failure | undefined;
  #heads: number;
  /** The lines of the flow's comment. */
  readonly notes: string[] = [];
  /** The state of the WebSocket that the exchange has opened. */
  webSocket: (FlowPart & { toState(): Dict }) | undefined;

  constructor(host: Host, head: RequestHead, start: number) {
    this.#host = host;
    this.request = new Message(head, start, host.account);
    this.#heads = EXCHANGE_COST + headersCost(head);
    host.account.charge(this.#heads);
  }

  get response(): Message<ResponseHead> | undefined {
    return this.#response;
  }

  get cost(): number {
    const { request, response, webSocket } = this;
    return this.#heads + request.body.cost + (response?.body.cost ?? 0) + (webSocket?.cost ?? 0);
  }

  get isDone(): boolean {
    return this.request.isDone && (this.#response?.isDone ?? false);
  }

  /** The response has begun. */
  answer(head: ResponseHead, time: number): Message<ResponseHead> {
    const cost = headersCost(head);
    this.#heads += cost;
    this.#host.account.charge(cost);
    this.#response = new Message(head, time, this.#host.account);
    return this.#response;
  }

  /** A response that goes before the final one, https://www.rfc-editor.org/rfc/rfc9110#section-15.2. */
  note({ status, reason }: ResponseHead): void {
    if (status === 100 || this.notes.length === MAX_NOTES) return;
    this.notes.push(`mittens: answered first by ${`${status} ${reason.toString('latin1')}`.trim()}`);
  }

  /** Something went wrong; the first error is the one that counts. */
  fail(message: string, time: number): void {
    this.#error ??= { message, time };
  }

  toState(): Dict {
    const { request, response, webSocket, notes } = this;
    const cut = describeCut([request.body, ...(response ? [response.body] : [])]);
    const facts = {
      created: request.start,
      error: this.#error,
      notes: [...notes, ...(webSocket?.notes ?? []), ...(cut ? [cut] : [])],
    };
    const state = buildState('http', this.#host.link, facts);
    state.set('request', this.#requestState());
    state.set('response', response ? responseState(response) : null);
    return state.set('websocket', webSocket?.toState() ?? null);
  }

  #requestState(): Dict {
    const { head } = this.request;
    const [host, port] = this.#host.link.address;
    const state = this.request.toState();
    state.set('method', head.method);
    state.set('scheme', head.scheme);
    state.set('authority', head.authority);
    state.set('path', head.path);
    state.set('host', host);
    return state.set('port', port);
  }
}

/** What something that belongs to a flow adds to it. */
interface FlowPart {
  readonly cost: number;
  readonly notes: string[];
}

/** A hostile app may send interim responses without end. */
const MAX_NOTES = 10;

function responseState(response: Message<ResponseHead>): Dict {
  return response.toState().set('status_code', response.head.status).set('reason', response.head.reason);
}

function headersCost({ headers, bytes }: RequestHead | ResponseHead): number {
  return bytes + headers.length * HEADER_COST;
}
