import { createInterface } from 'node:readline/promises';
import { UserError } from './error.ts';

/**
 * Asks on the terminal for one of several choices. An empty answer means the first.
 * @param shown the choices as they are printed.
 * @returns undefined when there is no terminal.
 * @throws UserError when the input ends; the signal's reason when it aborts.
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
  // readline sets the terminal to raw mode, in which Ctrl-C sends no signal.
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
