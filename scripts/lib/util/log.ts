import type { Message } from './message.ts';

/** What a command prints while it works: on stderr, because stdout is for data. */
export interface Log {
  /** Prints a line. */
  say(text: Message): void;
  /** Prints what the command waits for. On a terminal, the next line replaces it. */
  progress(text: string): void;
}

/**
 * A log on a stream.
 * @param format writes a message with its command lines.
 */
export function createLog(stream: NodeJS.WriteStream, format: (message: Message) => string): Log {
  let shown = '';
  const clear = () => {
    if (shown && stream.isTTY) stream.write('\r\x1b[K');
    shown = '';
  };
  return {
    say(text) {
      clear();
      stream.write(`${printable(format(text))}\n`);
    },
    progress(text) {
      const line = printable(text);
      if (line === shown) return;
      clear();
      shown = line;
      stream.write(stream.isTTY ? line.slice(0, Math.max(20, (stream.columns ?? 80) - 1)) : `${line}\n`);
    },
  };
}

/** Replaces control characters, which could control the reader's terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '?');
}
