import { formatter } from '../scripts/lib/cli/caller.ts';
import { describeError, UserError } from '../scripts/lib/util/error.ts';
import { fail } from './finish.ts';

/** Runs a step of the Action. An error fails the job with its message. */
export async function attempt(step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (error instanceof UserError) fail(formatter()(describeError(error)).replace(/^error: /, ''));
    else fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}
