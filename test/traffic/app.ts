import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { CASES } from './cases.ts';
import { type Cue, cuesOf } from './script.ts';
import { type Got, Side } from './side.ts';
import { within } from './within.ts';

/** What a client tells the app, a line each, by a connection of its own for each case; each is answered by a line. */
export type Order =
  /** A case comes on that of the app's ports. */
  | { title: string; port: number; limitMs: number }
  /** It is time for the next move; the answer is whether the app has got all that it should by then. */
  | 'next'
  /** The answer is what each connection has got. */
  | 'over';

/** A case that is being played on one port, by whoever connects there. */
class Visit {
  readonly #cues: Cue[];
  readonly #sides: Side[] = [];
  readonly #limitMs: number;
  readonly #isConnected: Promise<void>;
  #connected: () => void = () => undefined;
  #at = 0;

  constructor(title: string, limitMs: number) {
    this.#cues = cuesOf(CASES.find((one) => one.title === title)?.moves ?? []);
    this.#limitMs = limitMs;
    this.#isConnected = new Promise((resolve) => {
      this.#connected = resolve;
    });
  }

  accept(socket: Socket): void {
    this.#sides.push(new Side(socket));
    this.#connected();
  }

  async next(): Promise<boolean> {
    const cue = this.#cues[this.#at++];
    await within(this.#limitMs, this.#isConnected);
    const [side] = this.#sides;
    if (!cue || !side) return false;
    side.perform('app', cue.move);
    return await side.sees(cue.due.app.bytes, cue.due.app.end, this.#limitMs);
  }

  close(): Got[] {
    return this.#sides.map((side) => side.close());
  }
}

/** The app: it plays on each of its ports one case at a time, as it is told by the control port. */
export class App {
  readonly #visits = new Map<number, Visit>();
  readonly #servers: Server[] = [];

  /** @returns the ports that it has got: those of 0 are any. */
  async listen(ports: number[], control: number): Promise<{ ports: number[]; control: number }> {
    const listening = await Promise.all(
      ports.map(async (wanted) => {
        const server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
        return await this.#open(server, wanted);
      }),
    );
    const server = createServer((socket) => void this.#obey(socket, listening));
    return { ports: listening, control: await this.#open(server, control) };
  }

  close(): void {
    for (const server of this.#servers) server.close();
  }

  async #open(server: Server, port: number): Promise<number> {
    this.#servers.push(server);
    await once(server.listen(port), 'listening');
    return (server.address() as AddressInfo).port;
  }

  #accept(socket: Socket): void {
    const visit = this.#visits.get(socket.localPort ?? 0);
    if (visit) visit.accept(socket);
    else socket.on('error', () => undefined).destroy();
  }

  async #obey(socket: Socket, ports: number[]): Promise<void> {
    socket.on('error', () => undefined);
    let port = 0;
    for await (const line of createInterface(socket)) {
      const order = JSON.parse(line) as Order;
      const visit = this.#visits.get(port);
      let answer: unknown;
      if (typeof order === 'object') {
        port = ports[order.port] ?? 0;
        this.#visits.set(port, new Visit(order.title, order.limitMs));
      } else if (order === 'next') answer = await visit?.next();
      else {
        answer = visit?.close();
        this.#visits.delete(port);
      }
      socket.write(`${JSON.stringify(answer ?? null)}\n`);
    }
    this.#visits.get(port)?.close();
    this.#visits.delete(port);
  }
}
