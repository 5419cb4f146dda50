import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Service } from '../kube/objects.ts';
import { type ActiveTap, findActiveTap } from '../tap/active-tap.ts';
import type { Context } from '../tap/context.ts';
import { untap } from '../tap/untap.ts';
import { CaptureFile, formatTimestamp } from './capture-file.ts';
import { FINISH_SECONDS, TapFollower } from './follow-tap.ts';

/**
 * Restores a Service, and saves the flows of its tap at the same time. An error with the flows is only a warning: it
 * never keeps a Service from being restored.
 * @param name `service/web` or `pod/web-1`.
 * @param onlyId the id of the only tap to end.
 * @param path the file for the flows; by default one in the user's state folder.
 */
export async function untapAndSaveFlows(
  context: Context,
  name: string,
  onlyId?: string,
  path?: string,
): Promise<boolean> {
  const tap = await findActiveTap(context.kubectl, name);
  if (!tap || !hasFlows(tap, onlyId)) return await untap(context, name, onlyId);
  const file = new CaptureFile(path ?? chooseFile(context, tap.service));
  const follower = new TapFollower(tap, ({ bytes }) => file.add(bytes));
  try {
    await follower.start();
    return await untap(context, name, onlyId);
  } finally {
    await finish(context, follower, file);
  }
}

async function finish({ log }: Context, follower: TapFollower, file: CaptureFile): Promise<void> {
  log.progress('fetching the last flows');
  try {
    const { warnings } = await follower.finish(FINISH_SECONDS);
    await file.close();
    for (const warning of warnings) log.say(`warning: ${warning}`);
  } catch (error) {
    log.say(`warning: the flows are lost: ${error instanceof Error ? error.message : error}`);
  }
  if (file.flows > 0) log.say(`${file.flows} flows are saved in ${file.name}`);
}

/** Whether a tap can have flows. One that has not been on has none. */
function hasFlows({ record }: ActiveTap, onlyId?: string): boolean {
  return record.phase !== 'starting' && (!onlyId || record.id === onlyId);
}

/** A file in the state folder of the XDG Base Directory Specification. */
function chooseFile({ log }: Context, { metadata }: Service): string {
  const folder = join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'mittens');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    log.say(
      `warning: the folder for the flows can't be created: ${error instanceof Error ? error.message : error}`,
    );
  }
  return join(folder, `${metadata.namespace}-${metadata.name}-${formatTimestamp(new Date())}.mitm`);
}
