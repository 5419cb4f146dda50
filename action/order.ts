import { join } from 'node:path';
import type { Flags } from '../scripts/lib/cli/flags.ts';

/** What a capture must do. */
export interface Order {
  /** The argument for commands. */
  service: string;
  flags: Flags<'capture'>;
}

/** The messages between a capture and the Action's steps. */
export const TAPPED = 'tapped';
export const STOP = 'stop';

/** The path of a capture's file. The names are short because the path of a socket must be. */
export function jobFile(
  folder: string,
  number: number | string,
  kind: 'json' | 'sock' | 'begun' | 'end' | 'log' | 'mitm' | 'rest.mitm',
): string {
  return join(folder, `${number}.${kind}`);
}
