import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { beginning, START, type TestFrame, writeFrames } from './wire-file.ts';

const ENDED = { client: 'c', server: 's' };
const SENT = { client: 'C', server: 'S' };
const RESET = { client: 'r', server: 'R' };

/** A relay in front of an app that writes what passes as the door does. */
export class Relay {
  readonly #frames: TestFrame[] = [beginning()];
  readonly #server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  readonly #open = new Set<Promise<unknown>>();
  readonly #app: number;
  #last = 0;

  constructor(app: number) {
    this.#app = app;
  }

  async listen(): Promise<number> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  #write(type: string, connection: number, payload: Buffer | object = Buffer.alloc(0)): void {
    const time = performance.timeOrigin + performance.now() - START * 1000;
    const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload));
    this.#frames.push({ type, connection, time, payload: bytes });
  }

  #accept(client: Socket): void {
    const id = ++this.#last;
    const server = connect({ port: this.#app, host: '127.0.0.1', allowHalfOpen: true });
    const address = [client.remoteAddress, client.remotePort];
    this.#write('O', id, { client: address, listen: 7777, server: ['127.0.0.1', this.#app] });
    this.#copy(id, 'client', client, server);
    this.#copy(id, 'server', server, client);
    const closed = Promise.all([once(client, 'close'), once(server, 'close')]).then(() =>
      this.#write('X', id),
    );
    this.#open.add(closed);
  }

  #copy(id: number, side: 'client' | 'server', from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      this.#write(SENT[side], id, bytes);
      to.write(bytes);
    });
    from.on('end', () => {
      this.#write(ENDED[side], id);
      to.end();
    });
    from.on('error', () => {
      this.#write(RESET[side], id);
      to.destroy();
    });
  }

  /** Waits until all connections have ended. @returns the wire file. */
  async close(): Promise<Buffer> {
    this.#server.close();
    await Promise.all(this.#open);
    this.#write('Z', 0, { connections: this.#last, skipped: 0 });
    return writeFrames(this.#frames);
  }
}
