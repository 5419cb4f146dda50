import { createLog } from '../../scripts/lib/util/log.ts';

const talk = createLog(process.stderr, String);

/** Prints a line that stays, on stderr. */
export const say = talk.say;

/** Does work, and prints what it is if it takes longer than a second: on a terminal with the seconds so far. */
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
