/** What is to go wrong with requests, for tests of what copes with it. */
export interface Fault {
  /** A regular expression for `METHOD /path`; all requests without it. */
  match?: string;
  /** Wait so long before the answer, in ms. */
  delayMs?: number;
  /** Answer with this HTTP status code instead. */
  status?: number;
  /** End watches after so long, in ms. */
  breakWatchesMs?: number;
  /** Cut the connection without an answer. */
  cut?: boolean;
}

/** The faults that are on: set as a whole by PUT /pocket/faults, read by GET. */
export class Faults {
  list: Fault[] = [];

  find(method: string, path: string): Fault | undefined {
    return this.list.find(({ match }) => new RegExp(match ?? '').test(`${method} ${path}`));
  }
}
