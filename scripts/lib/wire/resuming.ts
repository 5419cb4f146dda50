import { Http1 } from './http1.ts';
import type { Ending, Host, Protocol } from './protocol.ts';
import type { Side } from './side.ts';
import type { Tcp } from './tcp.ts';
import { isRequestLine } from './undecided.ts';

const LF = 10;

/** A connection of which bytes are missing: it is shown as bytes until a piece of the client begins with a request. */
export class Resuming implements Protocol {
  readonly canResume = true;
  readonly #host: Host;
  readonly #tcp: Tcp;

  /** @param tcp shows the bytes. */
  constructor(host: Host, tcp: Tcp) {
    this.#host = host;
    this.#tcp = tcp;
  }

  push(side: Side, bytes: Buffer, time: number): void {
    const end = side === 'client' ? bytes.indexOf(LF) : -1;
    if (end < 0 || !isRequestLine(bytes.subarray(0, end))) {
      this.#tcp.push(side, bytes, time);
      return;
    }
    this.#tcp.leave();
    this.#host.become(new Http1(this.#host), [{ side, bytes, time }]);
  }

  end(): void {}

  close(ending: Ending): void {
    this.#tcp.close(ending);
  }
}
