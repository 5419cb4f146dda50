import { Interrupted } from './error.ts';
import { printable } from './log.ts';

/** One Ctrl-C can arrive as two SIGINTs, by way of the terminal and of npx: the second within this is the same, in ms. */
const SAME_MS = 500;

/** The signals that end a command, as an AbortSignal whose reason is an Interrupted. */
export interface Interrupts {
  signal: AbortSignal;
  /** From now on a hang-up is left to the caller: a session outlives its terminal. */
  onHangup(handler: () => void): void;
}

/**
 * Listens for SIGINT, SIGTERM and SIGHUP. The first aborts; a second one, later than a moment, ends the
 * process at once. What is in the record can then be restored by `off`.
 * @param stopped what is printed then.
 */
export function listenForInterrupts(stopped = 'stopped'): Interrupts {
  const controller = new AbortController();
  let hangup: (() => void) | undefined;
  let first = 0;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (name === 'SIGHUP' && hangup) return hangup();
      if (first && Date.now() - first > SAME_MS && name !== 'SIGHUP') {
        process.stderr.write(`\n${printable(stopped)}\n`);
        process.exit(toExitCode(name));
      }
      first ||= Date.now();
      controller.abort(new Interrupted(name));
    });
  }
  return {
    signal: controller.signal,
    onHangup(handler) {
      hangup = handler;
    },
  };
}

/** 128 and the signal's number, as shells have it. */
export function toExitCode(signal: NodeJS.Signals): number {
  return 128 + ({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }[signal as string] ?? 0);
}
