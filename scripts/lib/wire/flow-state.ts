import { randomUUID } from 'node:crypto';
import { type Flow, toFlow } from '../flow/flow.ts';
import { FLOW_VERSION } from '../flow/migrate.ts';
import type { Value } from '../flow/tnetstring.ts';
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

/** Makes a flow of the state that mitmproxy 11 and 12 would write. */
export function buildFlow(
  type: 'http' | 'tcp',
  link: Link,
  { created, error, notes }: Facts,
  fields: [string, Value][],
): Flow {
  return toFlow(
    new Map<string, Value>([
      ['version', FLOW_VERSION],
      ['type', type],
      ['id', randomUUID()],
      [
        'error',
        error
          ? new Map<string, Value>([
              ['msg', error.message],
              ['timestamp', error.time],
            ])
          : null,
      ],
      ['client_conn', link.client],
      ['server_conn', link.server],
      ['intercepted', false],
      ['is_replay', null],
      ['marked', ''],
      ['metadata', new Map()],
      ['comment', notes.join('\n')],
      ['timestamp_created', created],
      ['backup', null],
      ...fields,
    ]),
  );
}
