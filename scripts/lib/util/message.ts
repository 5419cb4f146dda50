/** A command line that a message tells its reader to run. How it is written depends on how mittens was called. */
export interface CommandToRun {
  /** `kubectl`, or a command of mittens. */
  program: string;
  args: readonly string[];
  flags: Readonly<Record<string, string | readonly string[] | boolean | undefined>>;
}

/** Text for the user, perhaps with commands to run in it. A command ends its line, so that it is easy to copy. */
export type Message = string | readonly (string | CommandToRun)[];

/** A template tag: message`restore it: ${mittens('off', ['web'])}`. */
export function message(texts: TemplateStringsArray, ...values: (string | number | CommandToRun)[]): Message {
  return texts.flatMap((text, index) => {
    const value = values[index];
    return [text, typeof value === 'object' ? value : String(value ?? '')];
  });
}
