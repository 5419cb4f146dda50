import { untapAndKeep } from '../capture/untap-and-save.ts';
import { findActiveTap, readPhase, type Tapped } from '../tap/active-tap.ts';
import type { Workbench } from '../tap/context.ts';
import { closeSession } from './session.ts';

/**
 * Gives a Service back, saves the flows of its tap, and closes the tap's tmux sessions on this machine.
 * @param name `service/web` or `pod/web-1`.
 * @param onlyId the id of the only tap to give back; another tap stays on.
 * @returns whether there was a tap, or the remains of one.
 */
export async function endTap(bench: Workbench, name: string, onlyId?: string): Promise<boolean> {
  const tapped = await findActiveTap(bench.kubectl, name);
  const found = await untapAndKeep(bench, name, onlyId);
  if (tapped) await closeSessionIfOver(tapped);
  return found;
}

/** Closes the tmux sessions of a tap that is no longer on the Service. */
export async function closeSessionIfOver(tapped: Tapped): Promise<void> {
  if ((await readPhase(tapped)) === undefined) await closeSession(tapped);
}
