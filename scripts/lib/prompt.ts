import { createInterface } from 'node:readline/promises';
import { UserError } from './error.ts';
import type { ServicePort } from './kubernetes.ts';
import { describePort } from './plan.ts';

/** Asks on the terminal which of several ports is meant; an empty answer is the first. */
export async function askForPort(question: string, ports: ServicePort[]): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const choices = ports.map(describePort).join(', ');
    const answer = (
      await terminal.question(`${question}: ${choices}\nWhich one? [${ports[0]?.port}] `)
    ).trim();
    return answer || String(ports[0]?.port);
  } catch {
    throw new UserError('no port was chosen', { hint: 'choose with --port' });
  } finally {
    terminal.close();
  }
}
