import { UsageError } from '../util/error.ts';
import { decodeBody } from './body.ts';
import type { Flow, Message } from './flow.ts';
import { pythonRegex, type RegexOptions } from './python-regex.ts';
import { findHostname, formatUrl } from './url.ts';

/** Whether a flow is wanted. */
export type Filter = (flow: Flow) => boolean;

const ASSETS = /text\/javascript|application\/(x-)?javascript|text\/css|image\/|font\/|application\/font/;

/** Operators without an argument. They and the others are those of mitmproxy/flowfilter.py. */
const UNARY: Record<string, Filter> = {
  all: () => true,
  a: (flow) => contentTypes(flow, 'response').some((type) => ASSETS.test(type)),
  e: ({ error }) => error !== undefined,
  http: ({ type }) => type === 'http',
  tcp: ({ type }) => type === 'tcp',
  udp: ({ type }) => type === 'udp',
  dns: ({ type }) => type === 'dns',
  websocket: ({ websocket }) => websocket !== undefined,
  marked: ({ marked }) => marked !== '',
  q: ({ request, response, dns }) => (dns ? !dns.response : request !== undefined && !response),
  s: ({ response, dns }) => response !== undefined || dns?.response !== undefined,
  replay: ({ replayed }) => replayed !== undefined,
  replayq: ({ replayed }) => replayed === 'request',
  replays: ({ replayed }) => replayed === 'response',
};

interface RegexOperator extends RegexOptions {
  /** The texts of a flow in which the expression is searched; bytes as Latin-1. */
  texts: (flow: Flow) => string[];
}

const REGEX: Record<string, RegexOperator> = {
  b: { texts: (flow) => [...bodies(flow, true), ...bodies(flow, false)], bytes: true, dotAll: true },
  bq: { texts: (flow) => bodies(flow, true), bytes: true, dotAll: true },
  bs: { texts: (flow) => bodies(flow, false), bytes: true, dotAll: true },
  h: {
    texts: (flow) => [...headers(flow, 'request'), ...headers(flow, 'response')],
    bytes: true,
    multiline: true,
  },
  hq: { texts: (flow) => headers(flow, 'request'), bytes: true, multiline: true },
  hs: { texts: (flow) => headers(flow, 'response'), bytes: true, multiline: true },
  t: { texts: (flow) => [...contentTypes(flow, 'request'), ...contentTypes(flow, 'response')], bytes: true },
  tq: { texts: (flow) => contentTypes(flow, 'request'), bytes: true },
  ts: { texts: (flow) => contentTypes(flow, 'response'), bytes: true },
  m: { texts: ({ request }) => (request ? [request.method] : []), ignoreCase: true },
  d: { texts: ({ request }) => (request ? [request.host, findHostname(request)] : []), ignoreCase: true },
  u: { texts: urls, ignoreCase: true },
  src: { texts: ({ client }) => (client.peer ? [client.peer.join(':')] : []) },
  dst: { texts: ({ server }) => (server.address ? [server.address.join(':')] : []) },
  meta: {
    texts: ({ metadata }) => [[...metadata].map((pair) => pair.join(': ')).join('\n')],
    multiline: true,
  },
  marker: { texts: ({ marked }) => [marked] },
  comment: { texts: ({ comment }) => [comment], multiline: true },
};

/**
 * Reads a filter in mitmproxy's language: `~m POST & ~c 5.. & !~u /healthz`. It takes a little more than mitmproxy:
 * a regular expression for a status, where mitmproxy takes one number, and several terms within parentheses.
 * @throws UsageError for what is no filter, with the place where it stops to be one.
 */
export function parseFilter(expression: string): Filter {
  const parser = new Parser(expression);
  return parser.run();
}

/** A word, as mitmproxy has it: operators within it are part of it. */
const WORD = /^[^()~'"\s]+/;
const QUOTED = /^"((?:[^"\\\n]|\\.)*)"|^'((?:[^'\\\n]|\\.)*)'/;
/** Deeper ones would not fit onto the stack. */
const MAX_DEPTH = 200;

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): Filter {
    const filter = this.#terms();
    if (this.#at < this.#text.length) throw this.#error('an operator or the end is missing');
    return filter;
  }

  #error(what: string): UsageError {
    const place =
      this.#at < this.#text.length ? `at "${this.#text.slice(this.#at, this.#at + 20)}"` : 'at its end';
    return new UsageError(`the filter "${this.#text}" is not understood ${place}: ${what}`, HINT);
  }

  #take(regex: RegExp): RegExpExecArray | undefined {
    this.#at += /^\s*/.exec(this.#text.slice(this.#at))?.[0].length ?? 0;
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
    if (++this.#depth > MAX_DEPTH) throw this.#error('it is nested too deeply');
    const term = this.#not();
    this.#depth--;
    return (flow) => !term(flow);
  }

  #atom(): Filter {
    if (this.#take(/^\(/)) {
      if (++this.#depth > MAX_DEPTH) throw this.#error('it is nested too deeply');
      const inner = this.#terms();
      if (!this.#take(/^\)/)) throw this.#error('a ) is missing');
      this.#depth--;
      return inner;
    }
    const operator = this.#take(/^~([a-z]+)(?![^\s()])/)?.[1];
    if (operator === undefined) return search('u', this.#argument('an expression is missing'));
    if (Object.hasOwn(UNARY, operator)) return UNARY[operator] as Filter;
    if (operator === 'c') return statusFilter(this.#argument('~c wants a status'));
    if (Object.hasOwn(REGEX, operator))
      return search(operator, this.#argument(`~${operator} wants an expression`));
    this.#at -= operator.length + 1;
    throw this.#error(`there is no operator ~${operator}`);
  }

  #argument(otherwise: string): string {
    const quoted = this.#take(QUOTED);
    if (quoted) return (quoted[1] ?? quoted[2] ?? '').replace(/\\(.)/g, unquote);
    const word = this.#take(WORD);
    if (!word) throw this.#error(otherwise);
    return word[0];
  }

  #peek(regex: RegExp): boolean {
    const before = this.#at;
    const found = this.#take(regex) !== undefined;
    if (found) this.#at = before;
    return found;
  }
}

const HINT =
  "as in mitmproxy: '~m POST & ~c 5.. & !~u /healthz'; https://docs.mitmproxy.org/stable/concepts/filters/";

/** What a backslash within quotes makes of a character; those of the regular expression are doubled there. */
function unquote(_: string, char: string): string {
  return { n: '\n', t: '\t', r: '\r', f: '\f' }[char] ?? char;
}

function every(terms: Filter[]): Filter {
  return terms.length === 1 ? (terms[0] as Filter) : (flow) => terms.every((term) => term(flow));
}

function search(operator: string, expression: string): Filter {
  const { texts, ...options } = REGEX[operator] as RegexOperator;
  const regex = pythonRegex(expression, options);
  return (flow) => texts(flow).some((text) => regex.test(text));
}

function statusFilter(expression: string): Filter {
  const regex = pythonRegex(`^(?:${expression})$`);
  return ({ response }) => response !== undefined && regex.test(String(response.status));
}

function urls({ request, dns }: Flow): string[] {
  if (request) return [formatUrl(request)];
  return dns ? dns.request.questions.slice(0, 1).map(({ name }) => name) : [];
}

/** Header fields as they were sent, bytes as Latin-1. */
function readFields(flow: Flow, name: 'request' | 'response'): [string, string][] {
  const message = flow.type === 'http' ? flow.state.get(name) : undefined;
  const fields = message instanceof Map ? message.get('headers') : undefined;
  if (!Array.isArray(fields)) return [];
  return fields.map(
    (field) => (field as Buffer[]).map((bytes) => bytes.toString('latin1')) as [string, string],
  );
}

function headers(flow: Flow, name: 'request' | 'response'): string[] {
  const fields = readFields(flow, name);
  return flow[name] ? [fields.map((field) => `${field.join(': ')}\r\n`).join('')] : [];
}

function contentTypes(flow: Flow, name: 'request' | 'response'): string[] {
  return readFields(flow, name)
    .filter(([key]) => key.toLowerCase() === 'content-type')
    .map(([, value]) => value);
}

/** All that one side sent, bytes as Latin-1; of DNS, the names and data. */
function bodies(flow: Flow, fromClient: boolean): string[] {
  const { request, response, websocket, messages, dns } = flow;
  const message = fromClient ? request : response;
  const sent = [...messages, ...(websocket?.messages ?? [])].filter(
    (one: Message) => one.fromClient === fromClient,
  );
  const said = fromClient ? dns?.request : dns?.response;
  return [
    ...(message?.content ? [decodeBody(message)] : []),
    ...sent.map(({ content }) => content),
    ...(said?.questions ?? []).map(({ name }) => Buffer.from(name)),
    ...(said?.answers ?? []).map(({ data }) => data),
  ].map((bytes) => bytes.toString('latin1'));
}
