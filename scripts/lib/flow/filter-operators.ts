import { UsageError } from '../util/error.ts';
import { decodeBody } from './body.ts';
import type { Flow } from './flow.ts';
import { readRequestBytes } from './origin.ts';
import { pythonRegex } from './python-regex.ts';
import type { RegexOptions } from './python-translation.ts';
import { findHostname, formatUrl } from './url.ts';

/** Says whether a flow is wanted. */
export type Filter = (flow: Flow) => boolean;

const ASSETS = /text\/javascript|application\/(x-)?javascript|text\/css|image\/|font\/|application\/font/;

/** The operators without an argument, by name. Source of all operators: mitmproxy/flowfilter.py. */
export const PLAIN_OPERATORS: Record<string, Filter> = {
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
  /** The texts of a flow that are searched. For operators with `bytes`, they are bytes in Latin-1. */
  texts: (flow: Flow) => string[];
}

/** The operators that take a regular expression, by name. As in mitmproxy 12, case never matters. */
const REGEX_OPERATORS: Record<string, RegexOperator> = {
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
  m: { texts: methods, bytes: true },
  d: { texts: ({ request }) => (request ? [request.host, findHostname(request)] : []) },
  u: { texts: urls },
  src: { texts: ({ client }) => (client.peer ? [client.peer.join(':')] : []) },
  dst: { texts: ({ server }) => (server.address ? [server.address.join(':')] : []) },
  meta: {
    texts: ({ metadata }) => [[...metadata].map((pair) => pair.join(': ')).join('\n')],
    multiline: true,
  },
  marker: { texts: ({ marked }) => [marked] },
  comment: { texts: ({ comment }) => [comment], multiline: true },
};

/** Whether an operator takes a regular expression. */
export function isRegexOperator(name: string): boolean {
  return Object.hasOwn(REGEX_OPERATORS, name);
}

/**
 * Makes the filter of an operator and its regular expression.
 * @throws UsageError if the expression is not valid.
 */
export function createRegexFilter(operator: string, expression: string): Filter {
  const { texts, ...options } = REGEX_OPERATORS[operator] as RegexOperator;
  const regex = pythonRegex(expression, { ...options, ignoreCase: true });
  return (flow) => texts(flow).some((text) => regex.test(text));
}

/**
 * Makes the filter of `~c`.
 * @param expression a number, or a regular expression that must match the whole status.
 * @throws UsageError if the expression is not valid, or matches no status.
 */
export function createStatusFilter(expression: string): Filter {
  if (/^\d+$/.test(expression)) return ({ response }) => response?.status === Number(expression);
  const regex = pythonRegex(`^(?:${expression})$`);
  if (!STATUSES.some((status) => regex.test(status)))
    throw new UsageError(`~c ${expression} matches no status`, "~c 404, ~c 5.. or ~c '404|5..'");
  return ({ response }) => response !== undefined && regex.test(String(response.status));
}

const STATUSES = Array.from({ length: 900 }, (_, index) => String(100 + index));

function methods(flow: Flow): string[] {
  return flow.request ? [readRequestBytes(flow, 'method').toString('latin1')] : [];
}

function urls({ request, dns }: Flow): string[] {
  if (request) return [formatUrl(request)];
  return dns ? dns.request.questions.slice(0, 1).map(({ name }) => name) : [];
}

/** Header fields as they were sent: bytes in Latin-1. */
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

/** Everything that one side sent: bytes in Latin-1. For DNS, the names and the data of the answers. */
function bodies(flow: Flow, fromClient: boolean): string[] {
  const { request, response, websocket, messages, dns } = flow;
  const message = fromClient ? request : response;
  const sent = [...messages, ...(websocket?.messages ?? [])].filter((one) => one.fromClient === fromClient);
  const packet = fromClient ? dns?.request : dns?.response;
  return [
    ...(message?.content ? [decodeBody(message)] : []),
    ...sent.map(({ content }) => content),
    ...(packet?.questions ?? []).map(({ name }) => Buffer.from(name)),
    ...(packet?.answers ?? []).map(({ data }) => data),
  ].map((bytes) => bytes.toString('latin1'));
}
