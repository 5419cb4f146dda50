import { countBlank, MAX_HEAD_BYTES, parseRequestLine } from './head.ts';
import { Http1 } from './http1.ts';
import { Http2 } from './http2.ts';
import { PREFACE } from './http2-reader.ts';
import type { Ending, Host, Piece, Protocol } from './protocol.ts';
import type { Side } from './side.ts';
import { Tcp } from './tcp.ts';
import { Unread } from './unread.ts';

/** What a server may say before its client does, in bytes, until it is taken for a protocol where servers speak first. */
const MAX_GREETING_BYTES = 64 * 1024;
/** How many bytes of line ends may stand before a request. */
const MAX_BLANK_BYTES = 1024;
const LF = 10;

/** A connection whose protocol shows in the first bytes of its client. */
export class Undecided implements Protocol {
  readonly canResume = true;
  readonly #host: Host;
  readonly #unread: Record<Side, Unread>;
  readonly #since: Partial<Record<Side, number>> = {};

  constructor(host: Host) {
    this.#host = host;
    this.#unread = { client: new Unread(host.account), server: new Unread(host.account) };
  }

  push(side: Side, piece: Buffer, time: number): void {
    this.#since[side] ??= time;
    const unread = this.#unread[side];
    const bytes = unread.add(piece);
    const protocol =
      side === 'client' ? recognize(bytes) : bytes.length > MAX_GREETING_BYTES ? 'tcp' : undefined;
    unread.keep(bytes);
    if (protocol) this.#host.become(this.#create(protocol), this.#takeRest());
  }

  #create(protocol: Recognized): Protocol {
    if (protocol === 'http1') return new Http1(this.#host);
    return protocol === 'http2' ? new Http2(this.#host) : new Tcp(this.#host);
  }

  #takeRest(): Piece[] {
    const sides: Side[] = ['client', 'server'];
    return sides
      .map((side) => ({ side, bytes: this.#unread[side].take(), time: this.#since[side] ?? 0 }))
      .filter(({ bytes }) => bytes.length > 0)
      .sort((a, b) => a.time - b.time);
  }

  end(): void {}

  close(ending: Ending): void {
    const tcp = new Tcp(this.#host);
    for (const { side, bytes, time } of this.#takeRest()) tcp.push(side, bytes, time);
    tcp.close(ending);
  }
}

type Recognized = 'http1' | 'http2' | 'tcp';

/** @returns undefined when more bytes must tell. */
function recognize(bytes: Buffer): Recognized | undefined {
  const begin = bytes.subarray(0, PREFACE.length);
  if (begin.equals(PREFACE.subarray(0, begin.length)))
    return begin.length === PREFACE.length ? 'http2' : undefined;
  const start = countBlank(bytes.subarray(0, MAX_BLANK_BYTES + 1));
  if (start >= MAX_BLANK_BYTES) return 'tcp';
  const end = bytes.indexOf(LF, start);
  if (end >= 0) return isRequestLine(bytes.subarray(start, end)) ? 'http1' : 'tcp';
  const isPlausible =
    bytes.length < MAX_HEAD_BYTES &&
    /^\r?$|^[!#$%&'*+.^_`|~\w-]{1,99}( |$)/.test(bytes.toString('latin1', start, start + 100));
  return isPlausible ? undefined : 'tcp';
}

/** Whether a line begins an HTTP/1 request. */
export function isRequestLine(line: Buffer): boolean {
  try {
    parseRequestLine(line.at(-1) === 13 ? line.subarray(0, -1) : line);
    return true;
  } catch {
    return false;
  }
}
