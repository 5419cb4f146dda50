/** Who sends: the client, or the app that serves it. */
export type Side = 'client' | 'server';

export function opposite(side: Side): Side {
  return side === 'client' ? 'server' : 'client';
}
