/** A fault that tests inject into matching requests. */
export interface Fault {
  /** A regular expression for `METHOD /path`; all requests without it. */
  match?: string;
  /** Delays the answer, in ms. */
  delayMs?: number;
  /** Answers with this HTTP status code instead. */
  status?: number;
  /** Ends watches after this time, in ms. */
  breakWatchesMs?: number;
  /** Closes the connection without an answer. */
  cut?: boolean;
}

/** The active faults. PUT /pocket/faults replaces them all; GET returns them. */
export class Faults {
  list: Fault[] = [];

  find(method: string, path: string): Fault | undefined {
    return this.list.find(({ match }) => new RegExp(match ?? '').test(`${method} ${path}`));
  }
}
