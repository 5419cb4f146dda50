import { join } from 'node:path';
import type { Flags } from '../scripts/lib/cli/flags.ts';

/** What a capture is to do. */
export interface Order {
  /** As commands take it. */
  service: string;
  flags: Flags<'capture'>;
}

/** What a capture and the Action's steps say to each other. */
export const TAPPED = 'tapped';
export const STOP = 'stop';

/** The files of the capture with this number. A socket's path must be short, so the names are. */
export function jobFile(
  folder: string,
  number: number | string,
  kind: 'json' | 'sock' | 'begun' | 'end' | 'log' | 'mitm' | 'rest.mitm',
): string {
  return join(folder, `${number}.${kind}`);
}
