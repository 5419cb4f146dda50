import { createLog } from '../../scripts/lib/util/log.ts';

const talk = createLog(process.stderr, String);

/** A line that stays, on stderr. */
export const say = talk.say;

/**
 * Does what may take long. Once it takes longer than a second it says what it is, and on a terminal for how long;
 * what is quicker is not spoken of.
 */
export async function step<T>(text: string, work: () => Promise<T>): Promise<T> {
  const began = Date.now();
  const seconds = () => Math.round((Date.now() - began) / 1000);
  const timer = setInterval(
    () => talk.progress(process.stderr.isTTY ? `${text} … ${seconds()} s` : `${text} …`),
    1000,
  );
  try {
    const result = await work();
    if (seconds() >= 1) talk.say(`${text}: ${seconds()} s`);
    return result;
  } finally {
    clearInterval(timer);
  }
}
