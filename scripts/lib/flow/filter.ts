import { UserError } from '../util/error.ts';
import { limitTime, TimeLimitError } from '../util/time-limit.ts';
import type { Filter } from './filter-operators.ts';
import { FilterParser } from './filter-parser.ts';
import type { Flow } from './flow.ts';

export type { Filter } from './filter-operators.ts';

/**
 * Parses a filter in mitmproxy's syntax: `~m POST & ~c 5.. & !~u /healthz`. Two extensions: `~c` takes a regular
 * expression where mitmproxy takes a number, and parentheses may hold several terms.
 * @returns a filter that throws UserError if it takes longer than 10 s.
 * @throws UsageError for an invalid filter; the message quotes the place.
 */
export function parseFilter(expression: string): Filter {
  const filter = new FilterParser(expression).run();
  return (flow) => limitFilter(expression, () => filter(flow));
}

/** Whether each of some flows matches. It is faster than one call per flow, and has one time limit. */
export function matchAll(filter: Filter, expression: string, flows: Flow[]): boolean[] {
  return limitFilter(expression, () => flows.map(filter));
}

/** Regular expressions of filters may backtrack for years: `(a+)+$`. */
const MAX_MS = 10_000;

function limitFilter<T>(expression: string, match: () => T): T {
  try {
    return limitTime(MAX_MS, match);
  } catch (error) {
    if (!(error instanceof TimeLimitError)) throw error;
    throw new UserError(`the filter "${expression}" takes longer than ${MAX_MS / 1000} s`, {
      hint: 'simplify its regular expression: nested repetition such as (a+)+ can take forever',
    });
  }
}
