import { UsageError } from '../util/error.ts';
import {
  createRegexFilter,
  createStatusFilter,
  type Filter,
  isRegexOperator,
  PLAIN_OPERATORS,
} from './filter-operators.ts';

/** A word as in mitmproxy: `|` and `&` within it belong to it. White space is that of pyparsing. */
const WORD = /^[^()~'" \n\t\r]+/;
/** A status ends where an operator may follow. */
const STATUS = /^[^()~'" \n\t\r|&!]+/;
const SPACE = /^[ \n\t\r]*/;
/** An operator ends where no printable ASCII character follows; as an extension, also before a parenthesis. */
const OPERATOR = /^~([a-z]+)(?![!-'*-~])/;
const QUOTED = /^"((?:[^"\\\n]|\\.)*)"|^'((?:[^'\\\n]|\\.)*)'/;
/** Deeper nesting would overflow the stack. */
const MAX_DEPTH = 200;

const QUOTE_IT = `quote an expression with parentheses, like '(a|b)'`;

const HINT =
  "filters are mitmproxy's: '~m POST & ~c 5.. & !~u /healthz'; https://docs.mitmproxy.org/stable/concepts/filters/";

/** Parses a filter by recursive descent. Precedence, loosest first: juxtaposition, `|`, `&`, `!`. */
export class FilterParser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): Filter {
    const filter = this.#terms();
    if (this.#at < this.#text.length) throw this.#error('expected an operator or the end');
    return filter;
  }

  #error(what: string): UsageError {
    const isEnd = this.#at >= this.#text.length;
    const place = isEnd ? 'at its end' : `at "${this.#text.slice(this.#at, this.#at + 20)}"`;
    return new UsageError(`the filter "${this.#text}" is invalid ${place}: ${what}`, HINT);
  }

  /** Consumes white space and then a match, if there is one. */
  #take(regex: RegExp): RegExpExecArray | undefined {
    this.#at += SPACE.exec(this.#text.slice(this.#at))?.[0].length ?? 0;
    const found = regex.exec(this.#text.slice(this.#at));
    if (found) this.#at += found[0].length;
    return found ?? undefined;
  }

  /** Terms side by side must all match. */
  #terms(): Filter {
    const terms = [this.#or()];
    while (this.#peek(/^[^)]/)) terms.push(this.#or());
    return every(terms);
  }

  #or(): Filter {
    const terms = [this.#and()];
    while (this.#take(/^\|/)) terms.push(this.#and());
    return terms.length === 1 ? (terms[0] as Filter) : (flow) => terms.some((term) => term(flow));
  }

  #and(): Filter {
    const terms = [this.#not()];
    while (this.#take(/^&/)) terms.push(this.#not());
    return every(terms);
  }

  #not(): Filter {
    if (!this.#take(/^!/)) return this.#atom();
    const term = this.#nested(() => this.#not());
    return (flow) => !term(flow);
  }

  #atom(): Filter {
    if (this.#take(/^\(/)) return this.#nested(() => this.#group());
    const operator = this.#take(OPERATOR)?.[1];
    if (operator === undefined) return createRegexFilter('u', this.#argument('an expression is missing'));
    if (Object.hasOwn(PLAIN_OPERATORS, operator)) return PLAIN_OPERATORS[operator] as Filter;
    if (operator === 'c') return createStatusFilter(this.#argument('~c needs a status', STATUS));
    if (isRegexOperator(operator))
      return createRegexFilter(operator, this.#argument(`~${operator} needs an expression`));
    this.#at -= operator.length + 1;
    throw this.#error(`there is no operator ~${operator}`);
  }

  #group(): Filter {
    const inner = this.#terms();
    if (!this.#take(/^\)/)) throw this.#error('a ) is missing');
    return inner;
  }

  #nested(parse: () => Filter): Filter {
    if (++this.#depth > MAX_DEPTH) throw this.#error('it is nested too deeply');
    const filter = parse();
    this.#depth--;
    return filter;
  }

  #argument(otherwise: string, bare = WORD): string {
    const quoted = this.#take(QUOTED);
    if (quoted) return (quoted[1] ?? quoted[2] ?? '').replace(/\\(.)/g, unquote);
    const word = this.#take(bare);
    if (!word) throw this.#error(this.#peek(/^\(/) ? QUOTE_IT : otherwise);
    return word[0];
  }

  #peek(regex: RegExp): boolean {
    const before = this.#at;
    const found = this.#take(regex) !== undefined;
    if (found) this.#at = before;
    return found;
  }
}

/** Resolves a backslash within quotes. A backslash of the regular expression must be doubled there, as in mitmproxy. */
function unquote(_: string, char: string): string {
  return { n: '\n', t: '\t', r: '\r', f: '\f' }[char] ?? char;
}

function every(terms: Filter[]): Filter {
  return terms.length === 1 ? (terms[0] as Filter) : (flow) => terms.every((term) => term(flow));
}
