import { Interrupted } from './error.ts';
import { printable } from './log.ts';

/** One Ctrl-C can arrive as two SIGINTs, from the terminal and from npx. They come within this time, in ms. */
const SAME_MS = 500;

/** The signals that end a command, as an AbortSignal whose reason is an Interrupted. */
export interface Interrupts {
  signal: AbortSignal;
  /** Replaces what SIGHUP does: a session outlives its terminal. */
  onHangup(handler: () => void): void;
}

/**
 * Listens for SIGINT, SIGTERM and SIGHUP. The first aborts the signal. A second one ends the process at once; then
 * `off` can restore what is left.
 * @param stopped what the second signal prints.
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

/** 128 plus the number of the signal, as in shells. */
export function toExitCode(signal: NodeJS.Signals): number {
  return 128 + ({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }[signal as string] ?? 0);
}
