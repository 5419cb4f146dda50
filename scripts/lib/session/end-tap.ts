import { untapAndSaveFlows } from '../capture/untap-and-save.ts';
import { type ActiveTap, findActiveTap, readPhase } from '../tap/active-tap.ts';
import type { Context } from '../tap/context.ts';
import { closeSession } from './session.ts';

/**
 * Restores a Service, saves the flows of its tap, and closes the tap's tmux sessions on this machine.
 * @param name `service/web` or `pod/web-1`.
 * @param onlyId the id of the only tap to end; another tap stays on.
 * @returns whether there was a tap, or the remains of one.
 */
export async function endTap(context: Context, name: string, onlyId?: string): Promise<boolean> {
  const tap = await findActiveTap(context.kubectl, name);
  const found = await untapAndSaveFlows(context, name, onlyId);
  if (tap) await closeSessionIfOver(tap);
  return found;
}

/** Closes the tmux sessions of a tap that is no longer on the Service. */
export async function closeSessionIfOver(tap: ActiveTap): Promise<void> {
  if ((await readPhase(tap)) === undefined) await closeSession(tap);
}
