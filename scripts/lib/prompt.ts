import { createInterface } from 'node:readline/promises';
import { UserError } from './error.ts';
import type { ServicePort } from './kubernetes.ts';
import { describePort } from './port.ts';

/**
 * Asks on the terminal which of several ports is meant; an empty answer is the first.
 * @throws UserError when the answer is the end of the input; the signal's reason when that comes first.
 */
export async function askForPort(
  question: string,
  ports: ServicePort[],
  signal: AbortSignal,
): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((_, reject) => {
    terminal.once('close', () => reject(new UserError('no port was chosen', { hint: 'choose with --port' })));
  });
  // The terminal is in raw mode, so that Ctrl-C is a key here and no signal.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  signal.addEventListener('abort', () => terminal.close());
  try {
    const choices = ports.map(describePort).join(', ');
    const asked = terminal.question(`${question}: ${choices}\nWhich one? [${ports[0]?.port}] `);
    return (await Promise.race([asked, closed])).trim() || String(ports[0]?.port);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    terminal.close();
  }
}
