import { type Flow, toFlow } from '../flow/flow.ts';
import { UserError } from '../util/error.ts';
import { type Omissions, WireDecoder } from './decoder.ts';
import { WireError } from './frame.ts';

/** Whether a file that begins with these bytes is a wire file: its first frame says so, and belongs to no connection. */
export function isWire(start: Buffer): boolean {
  return start.subarray(0, 5).equals(Buffer.from('H\0\0\0\0'));
}

/**
 * Reads the flows of a wire file, in memory that does not grow with the file. What is open at its end is given as it is.
 * @param file its name, for errors.
 * @param onWarning is called after all flows with what was left out, if anything was.
 * @throws UserError, after all flows before it, for what is not a wire file, with its offset.
 */
export async function* readWire(
  chunks: AsyncIterable<Buffer>,
  file: string,
  onWarning: (message: string) => void,
): AsyncGenerator<Flow> {
  const decoder = new WireDecoder();
  let damage: WireError | undefined;
  try {
    for await (const chunk of chunks) for (const state of decoder.push(chunk)) yield toFlow(state);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    damage = error;
  }
  for (const state of decoder.end()) yield toFlow(state);
  for (const message of describeOmissions(decoder.omissions)) onWarning(message);
  if (damage)
    throw new UserError(`${file} is not a wire file from byte ${damage.offset} on: ${damage.message}`);
  const { offset, bytes } = decoder.unread;
  if (bytes > 0)
    onWarning(`the last frame is incomplete: its last ${bytes} bytes, from byte ${offset}, are left out`);
}

/** What was left out, a line for each reason. */
export function describeOmissions({ cut, strayFrames, skipped }: Omissions): string[] {
  return [
    skipped > 0 ? `${skipped} bytes are missing: they were not written` : '',
    cut > 0
      ? `${cut} connections were not read to their end: more was open at once than is kept in memory`
      : '',
    strayFrames > 0 ? `${strayFrames} frames of connections that were not open are left out` : '',
  ].filter((message) => message !== '');
}
