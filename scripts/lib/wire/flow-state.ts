import { randomUUID } from 'node:crypto';
import { FLOW_VERSION } from '../flow/migrate.ts';
import type { Dict } from '../flow/tnetstring.ts';
import type { Link } from './link.ts';

/** What went wrong, and when: seconds since 1970. */
export interface Failure {
  message: string;
  time: number;
}

/** What flows of every type have. */
export interface Facts {
  created: number;
  error: Failure | undefined;
  /** The lines of its comment. */
  notes: string[];
}

/** What flows of every type have in their state, as mitmproxy 11 and 12 would write it. */
export function buildState(type: 'http' | 'tcp', link: Link, { created, error, notes }: Facts): Dict {
  const state: Dict = new Map();
  state.set('version', FLOW_VERSION);
  state.set('type', type);
  state.set('id', randomUUID());
  state.set('error', error ? new Map().set('msg', error.message).set('timestamp', error.time) : null);
  state.set('client_conn', link.client);
  state.set('server_conn', link.server);
  state.set('intercepted', false);
  state.set('is_replay', null);
  state.set('marked', '');
  state.set('metadata', new Map());
  state.set('comment', notes.join('\n'));
  state.set('timestamp_created', created);
  return state.set('backup', null);
}
