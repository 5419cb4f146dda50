import { createHash } from 'node:crypto';
import type { Step } from '../unit/wire-file.ts';

/** What one side sends, or both at once. The next step begins when the other side has got it all. */
interface Sending {
  c?: string | Buffer;
  s?: string | Buffer;
  /** The next step begins at once: the other side does not read, or is gone. */
  unread?: true;
}

export type Move =
  | Exclude<Step, { gap: object } | 'app refuses'>
  | Sending
  | { silence: number }
  | 'client pauses'
  | 'client reads'
  | 'client closes'
  | 'app pauses'
  | 'app reads';

/** A conversation on one connection, and the flows that it makes, each in one line as describeFlow has it. */
export interface Case {
  title: string;
  moves: Move[];
  /** Undefined where what is shown is a matter of time. */
  flows: string[] | undefined;
}

export type Who = 'client' | 'app';

export const MIB = 1024 * 1024;

export function traffic(title: string, moves: Move[], ...flows: string[]): Case {
  return { title, moves, flows };
}

/** A case of which it is a matter of time what is shown. */
export function unshown(title: string, moves: Move[]): Case {
  return { title, moves, flows: undefined };
}

/** Bytes that look like chance and are the same for the same name. */
export function noise(name: string, length: number): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at * 64 < length; at++) pieces.push(createHash('sha512').update(`${name} ${at}`).digest());
  return Buffer.concat(pieces, Math.ceil(length / 64) * 64).subarray(0, length);
}

/** Each byte as a move of its own. */
export function trickle(who: 'c' | 's', text: string): Move[] {
  return Array.from(text, (byte) => (who === 'c' ? { c: byte } : { s: byte }));
}
