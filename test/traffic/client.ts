import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Order } from './app.ts';
import type { Case } from './case.ts';
import { type Cue, cuesOf } from './script.ts';
import { type Got, Side } from './side.ts';

interface Address {
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

export interface Playing {
  /** The app's control port. */
  control: Address;
  /** Where the app's ports are reached, in their order. Each takes one case at a time. */
  addresses: Address[];
  /** How long what one side sends may take to the other. */
  limitMs: number;
  /** The address that the client of a case has; by default what the system gives it. */
  from?: (title: string) => string;
}

/** Plays cases with the app, as many at a time as it has ports. */
export async function play(cases: Case[], playing: Playing): Promise<Conversation[]> {
  const queue = [...cases];
  const conversations: Conversation[] = [];
  const playNext = async (_: Address, port: number): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift())
      conversations.push(await playOne(next, port, playing));
  };
  await Promise.all(playing.addresses.map(playNext));
  return conversations;
}

async function playOne(
  { title, moves }: Case,
  port: number,
  { control, addresses, limitMs, from }: Playing,
): Promise<Conversation> {
  const app = new Remote(connect(control));
  await app.order({ title, port, limitMs });
  const to = { ...addresses[port], localAddress: from?.(title) };
  const socket = connect({ ...to, port: to.port ?? 0, allowHalfOpen: true });
  const side = new Side(socket);
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
  const stuck = await playMoves(cuesOf(moves), side, app, limitMs);
  const client = side.close();
  const got = (await app.order('over')) as Got[];
  app.close();
  return { title, client, app: got, ...(stuck >= 0 && { stuck }) };
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
