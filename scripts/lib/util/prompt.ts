import { createInterface } from 'node:readline/promises';
import { UserError } from './error.ts';

/**
 * Asks on the terminal which of several is meant; an empty answer is the first.
 * @param shown the choices in more words.
 * @returns undefined where there is no terminal to ask on.
 * @throws UserError when the answer is the end of the input; the signal's reason when that comes first.
 */
export async function askFor(
  question: string,
  choices: string[],
  signal: AbortSignal,
  shown = choices,
): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((_, reject) => {
    terminal.once('close', () =>
      reject(new UserError('nothing was chosen', { hint: `one of ${choices.join(', ')}` })),
    );
  });
  // The terminal is in raw mode, so that Ctrl-C is a key here and no signal.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  signal.addEventListener('abort', () => terminal.close());
  try {
    const asked = terminal.question(`${question}: ${shown.join(', ')}\nWhich one? [${choices[0]}] `);
    return (await Promise.race([asked, closed])).trim() || choices[0];
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    terminal.close();
  }
}
