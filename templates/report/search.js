// The search's language: words that must all be there, some of them `field:value`.

/** `-field:value`, `"two words"`. */
const TERM = /\s*(-?)(?:([a-z]+):)?(?:"([^"]*)"?|(\S+))/gy;
/** What cannot be in a quoted value of a search box. */
const UNQUOTABLE = /["\r\n]/g;

/** By field, what makes of a value, in lower case, a test of flows; undefined when the value makes no sense. */
const FIELDS = new Map([
  [
    'status',
    (value) =>
      ({ status, class: name }) =>
        glob(value, status) || value === name,
  ],
  [
    'method',
    (value) =>
      ({ method }) =>
        method.toLowerCase() === value,
  ],
  [
    'host',
    (value) =>
      ({ host }) =>
        host.toLowerCase().includes(value),
  ],
  [
    'path',
    (value) =>
      ({ path }) =>
        path.toLowerCase().includes(value),
  ],
  [
    'type',
    (value) =>
      ({ type, media }) =>
        type === value || media.includes(value),
  ],
  [
    'endpoint',
    (value) =>
      ({ endpoint }) =>
        endpoint.toLowerCase().replace(UNQUOTABLE, '') === value,
  ],
  ['header', (value) => (flow) => headersOf(flow).some((text) => text.toLowerCase().includes(value))],
  ['body', (value) => (flow) => textsOf(flow).some((text) => text?.toLowerCase().includes(value))],
  ['ms', (value) => within(value, ({ latency }) => latency)],
  ['size', (value) => within(value, ({ size }) => size)],
  ['at', (value) => within(value, ({ at }) => at)],
  ['is', (value) => (value === 'failed' ? ({ failed }) => failed : undefined)],
]);

/** A search as a test of flows. */
export function searchOf(query) {
  const tests = termsOf(query).map(({ not, field, value }) => {
    const test = FIELDS.get(field)?.(value) ?? wordTest(field ? `${field}:${value}` : value);
    return not ? (flow) => !test(flow) : test;
  });
  return (flow) => tests.every((test) => test(flow));
}

function wordTest(word) {
  return ({ words }) => words.includes(word);
}

function termsOf(query) {
  const text = query.toLowerCase().trim();
  return [...text.matchAll(TERM)].map(([, not, field, quoted, word]) => ({
    not: not === '-',
    field,
    value: quoted ?? word,
  }));
}

/** `5xx` is any status from 500 on; `404` is that one. */
function glob(value, status) {
  const text = status.toLowerCase();
  return (
    value.length === text.length && [...value].every((digit, index) => digit === 'x' || digit === text[index])
  );
}

const LIMIT = /^([<>]?)(\d+(?:\.\d+)?)$/;
const RANGE = /^(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)?$/;

/** A range: `>500`, `<2`, `10..20` (its end not included), `10..`, `42`. */
function within(value, numberOf) {
  const [, from, to = Infinity] = RANGE.exec(value) ?? [];
  if (from) return (flow) => numberOf(flow) >= Number(from) && numberOf(flow) < Number(to);
  const [, sign, limit] = LIMIT.exec(value) ?? [];
  if (!limit) return undefined;
  if (sign === '>') return (flow) => numberOf(flow) > Number(limit);
  if (sign === '<') return (flow) => numberOf(flow) < Number(limit);
  return (flow) => numberOf(flow) === Number(limit);
}

function headersOf({ request, response }) {
  return [request, response]
    .filter(Boolean)
    .flatMap(({ headers, trailers }) => [...headers, ...(trailers ?? [])])
    .map(([name, value]) => `${name}: ${value}`);
}

function textsOf({ request, response, messages }) {
  return [request?.body?.text, response?.body?.text, ...(messages ?? []).map(({ text }) => text)];
}

/** A search with a term more, or without it when it has it. */
export function toggled(query, field, value) {
  const plain = value.replace(UNQUOTABLE, '');
  const term = `${field}:${/\s/.test(plain) ? `"${plain}"` : plain}`;
  const rest = query.replace(new RegExp(`(^|\\s)${field}:("[^"]*"?|\\S+)`, 'gi'), '').trim();
  return hasTerm(query, term) ? rest : `${rest} ${term}`.trim();
}

function hasTerm(query, term) {
  return ` ${query.toLowerCase()} `.includes(` ${term.toLowerCase()} `);
}
