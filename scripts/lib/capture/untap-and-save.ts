import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Service } from '../kube/objects.ts';
import { findActiveTap, type Tapped } from '../tap/active-tap.ts';
import type { Workbench } from '../tap/context.ts';
import { untap } from '../tap/untap.ts';
import { Followers, PATIENCE } from './follow-tap.ts';
import { Recording, timestamp } from './recording.ts';

/**
 * Gives a Service back as untap does, and fetches the flows of its tap meanwhile. What goes wrong with them is a
 * warning: they never keep a Service from being given back.
 * @param name `service/web` or `pod/web-1`.
 * @param onlyId gives back this one tap only.
 * @param file where the flows go, if not where they are kept for users.
 */
export async function untapAndKeep(
  bench: Workbench,
  name: string,
  onlyId?: string,
  file?: string,
): Promise<boolean> {
  const tapped = await findActiveTap(bench.kubectl, name);
  if (!tapped || !hasFlows(tapped, onlyId)) return await untap(bench, name, onlyId);
  const recording = new Recording(file ?? fileFor(bench, tapped.service));
  const followers = new Followers(tapped, (flow) => recording.add(flow));
  try {
    await followers.start();
    return await untap(bench, name, onlyId);
  } finally {
    await finish(bench, followers, recording);
  }
}

async function finish({ talk }: Workbench, followers: Followers, recording: Recording): Promise<void> {
  talk.progress('fetching the last flows');
  try {
    const { warnings } = await followers.finish(PATIENCE);
    await recording.close();
    for (const warning of warnings) talk.say(`warning: ${warning}`);
  } catch (error) {
    talk.say(`warning: the flows are lost: ${error instanceof Error ? error.message : error}`);
  }
  if (recording.flows > 0) talk.say(`${recording.flows} flows are kept in ${recording.name}`);
}

/** Whether a tap may have flows: it was on. */
function hasFlows({ record }: Tapped, onlyId?: string): boolean {
  return record.phase !== 'starting' && (!onlyId || record.id === onlyId);
}

/** Where programs keep what is no setting and not to be lost: the XDG Base Directory Specification. */
function fileFor({ talk }: Workbench, { metadata }: Service): string {
  const folder = join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'mittens');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    talk.say(`warning: there is no place for the flows: ${error instanceof Error ? error.message : error}`);
  }
  return join(folder, `${metadata.namespace}-${metadata.name}-${timestamp(new Date())}.mitm`);
}
