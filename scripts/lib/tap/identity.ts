import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import type { TapIdentity } from '../plan/plan.ts';

/** The identity of a new tap of this user. */
export function createIdentity(): TapIdentity {
  return {
    id: randomBytes(4).toString('hex'),
    owner: formatOwner(),
    started: new Date().toISOString(),
    token: randomBytes(16).toString('hex'),
  };
}

/** user@host; a program that taps for others sets $MITTENS_OWNER. */
function formatOwner(): string {
  return process.env.MITTENS_OWNER || `${findUserName()}@${hostname()}`;
}

/** The user's name, or number: in a container a user may have no name. */
function findUserName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'somebody');
  }
}
