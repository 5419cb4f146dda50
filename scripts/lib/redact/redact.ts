import { type Flow, toFlow } from '../flow/flow.ts';
import type { Dict, Value } from '../flow/tnetstring.ts';
import { UserError } from '../util/error.ts';
import { limitTime, TimeLimitError } from '../util/time-limit.ts';
import { createFinder } from './find.ts';
import { createMask } from './mask.ts';
import { Redaction } from './redaction.ts';

export interface RedactorOptions {
  /** Further names of secrets; their case, dashes and underscores do not matter. */
  names?: string[];
  /** Further shapes of secrets, as regular expressions of JavaScript. */
  patterns?: string[];
  /** The key of the masks; random by default. */
  key?: Buffer;
}

/**
 * Makes a function that masks the credentials in flows. No rules find all of them. A secret is found
 *
 * - by its name (see names.ts): in headers, trailers, cookies, queries, forms, JSON, XML and text; also in one of these
 *   within another, and under escapes and content codings;
 * - by its shape (see shapes.ts), anywhere: tokens of well-known issuers, JWTs, private keys, passwords in URLs;
 * - because it was found by name elsewhere in the flow, if it has at least 8 characters.
 *
 * A mask has the length of its secret. Equal secrets have equal masks from one redactor. Messages stay valid: compressed
 * bodies are compressed again, and a correct Content-Length stays correct. A body that cannot be searched, because it does
 * not decode or is longer than 64 MiB, is replaced by a note.
 * @returns a function that throws UserError if patterns were given and it takes longer than 60 s.
 * @throws UsageError for a pattern that is not a regular expression.
 */
export function createRedactor(options: RedactorOptions = {}): (flow: Flow) => Flow {
  const mask = createMask(options.key);
  const finder = createFinder(options);
  const redact = (flow: Flow) => {
    const state = copyValue(flow.state) as Dict;
    return new Redaction(finder).run(state, mask) ? toFlow(state) : flow;
  };
  return options.patterns && options.patterns.length > 0
    ? (flow) => limitPatterns(() => redact(flow))
    : redact;
}

/** The patterns of a user may backtrack for years. Our own are linear, and slow only for huge bodies. */
const MAX_MS = 60_000;

function limitPatterns<T>(redact: () => T): T {
  try {
    return limitTime(MAX_MS, redact);
  } catch (error) {
    if (!(error instanceof TimeLimitError)) throw error;
    throw new UserError(`redacting a flow takes longer than ${MAX_MS / 1000} s`, {
      hint: 'simplify the --redact-pattern: nested repetition such as (a+)+ can take forever',
    });
  }
}

/** Copies lists and dictionaries. Buffers are shared, since none is changed. */
function copyValue(value: Value): Value {
  if (Array.isArray(value)) return value.map(copyValue);
  if (!(value instanceof Map)) return value;
  return new Map(Array.from(value, ([key, item]) => [key, copyValue(item)]));
}
