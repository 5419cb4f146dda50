import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Order } from './app.ts';
import type { Case } from './case.ts';
import { CASES } from './cases.ts';
import { type Cue, cuesOf } from './script.ts';
import { type Got, Side } from './side.ts';

export interface Address {
  host: string;
  port: number;
}

/** What both sides got in a case. */
export interface Conversation {
  title: string;
  client: Got;
  /** Of each connection that reached the app. */
  app: Got[];
  /** The first move after which somebody had not got all that he should, counted from 0. */
  stuck?: number;
}

/**
 * Plays all cases with the app of a control port.
 * @param addresses of the app's ports, in order. Each takes one case at a time.
 * @param limitMs how long what one side sends may take to the other.
 * @param from the address that the client of a case has; by default what the system gives it.
 */
export async function playAll(
  control: Address,
  addresses: Address[],
  limitMs: number,
  from: (title: string) => string | undefined = () => undefined,
): Promise<Conversation[]> {
  const queue = [...CASES];
  const conversations: Conversation[] = [];
  const playNext = async (address: Address, port: number): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift())
      conversations.push(
        await play(next, control, { ...address, localAddress: from(next.title) }, port, limitMs),
      );
  };
  await Promise.all(addresses.map(playNext));
  return conversations;
}

async function play(
  { title, moves }: Case,
  control: Address,
  address: Address & { localAddress: string | undefined },
  port: number,
  limitMs: number,
): Promise<Conversation> {
  const app = new Remote(connect(control));
  await app.order({ title, port, limitMs });
  const socket = connect({ ...address, allowHalfOpen: true });
  const side = new Side(socket);
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
  const stuck = await playMoves(cuesOf(moves), side, app, limitMs);
  const got = (await app.order('over')) as Got[];
  app.close();
  return { title, client: side.close(), app: got, ...(stuck >= 0 && { stuck }) };
}

/** @returns the move that somebody did not get, or -1. */
async function playMoves(cues: Cue[], side: Side, app: Remote, limitMs: number): Promise<number> {
  for (const [index, { move, due }] of cues.entries()) {
    side.perform('client', move);
    if (typeof move === 'object' && 'silence' in move) await sleep(move.silence);
    const seen = await Promise.all([side.sees(due.client.bytes, due.client.end, limitMs), app.order('next')]);
    if (seen.includes(false)) return index;
  }
  return -1;
}

/** The app, by its control port. */
class Remote {
  readonly #socket: Socket;
  readonly #answers: AsyncIterator<string>;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#answers = createInterface(socket)[Symbol.asyncIterator]();
  }

  async order(order: Order): Promise<unknown> {
    this.#socket.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('the app is gone');
    return JSON.parse(value);
  }

  close(): void {
    this.#socket.end();
  }
}
