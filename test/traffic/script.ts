import type { Move, Who } from './case.ts';
import { sentBy } from './side.ts';

/** A move, and what each side has got when the next may begin. */
export interface Cue {
  move: Move;
  due: Record<Who, Due>;
}

interface Due {
  bytes: number;
  end: boolean;
}

const LARGE_BYTES = 700_000;

const SIDES = ['client', 'app'] as const;
const OTHER = { client: 'app', app: 'client' } as const;
const NOTHING: Due = { bytes: 0, end: false };

/** All moves of a case; who has not ended by them does so at last. */
export function cuesOf(moves: Move[]): Cue[] {
  const due: Record<Who, Due> = { client: NOTHING, app: NOTHING };
  // Who does not read, for now or for ever.
  const deaf = new Set<Who>();
  return withEnds(moves).map((move) => {
    for (const who of SIDES) {
      if (move === `${who} pauses` || isLast(who, move)) deaf.add(who);
      if (move === `${who} reads`) deaf.delete(who);
      const { bytes, end } = due[OTHER[who]];
      const ends = move === `${who} ends` || isLast(who, move);
      due[OTHER[who]] = { bytes: bytes + sentBy(who, move).length, end: end || ends };
    }
    const isUnread = typeof move === 'object' && 'unread' in move;
    const dueOf = (who: Who) => (isUnread || deaf.has(who) ? NOTHING : due[who]);
    return { move, due: { client: dueOf('client'), app: dueOf('app') } };
  });
}

function withEnds(moves: Move[]): Move[] {
  const all = moves.filter((move) => move !== 'over');
  if (all.some((move) => SIDES.some((who) => isLast(who, move)))) return all;
  const ends = (['client ends', 'app ends'] as const).filter((end) => !all.includes(end));
  return [...all, ...ends];
}

/** Whether somebody leaves the connection by it, so that he gets no more. */
function isLast(who: Who, move: Move): boolean {
  return move === `${who} resets` || move === `${who} closes`;
}

/** Whether much passes: copies of it may be left out. */
export function isLarge(moves: Move[]): boolean {
  const bytes = moves.map((move) => sentBy('client', move).length + sentBy('app', move).length);
  return bytes.reduce((sum, one) => sum + one, 0) > LARGE_BYTES;
}
