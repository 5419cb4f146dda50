// The syntax of the search: words that must all occur, some of them `field:value`.

/** `-field:value`, `"two words"`. */
const TERM = /\s*(-?)(?:([a-z]+):)?(?:"([^"]*)"?|(\S+))/gy;
/** Characters that a quoted value in the search box cannot contain. */
const UNQUOTABLE = /["\r\n]/g;

/** The fields. Each makes a test from a value in lower case; undefined for a value that is not valid. */
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
  ['header', (value) => (flow) => listHeaders(flow).some((text) => text.toLowerCase().includes(value))],
  ['body', (value) => (flow) => listTexts(flow).some((text) => text?.toLowerCase().includes(value))],
  ['ms', (value) => within(value, ({ latency }) => latency)],
  ['size', (value) => within(value, ({ size }) => size)],
  ['at', (value) => within(value, ({ at }) => at)],
  ['is', (value) => (value === 'failed' ? ({ failed }) => failed : undefined)],
]);

/** Parses a search into a test of flows. */
export function parseSearch(query) {
  const tests = parseTerms(query).map(({ not, field, value }) => {
    const test = FIELDS.get(field)?.(value) ?? wordTest(field ? `${field}:${value}` : value);
    return not ? (flow) => !test(flow) : test;
  });
  return (flow) => tests.every((test) => test(flow));
}

function wordTest(word) {
  return ({ words }) => words.includes(word);
}

function parseTerms(query) {
  const text = query.toLowerCase().trim();
  return [...text.matchAll(TERM)].map(([, not, field, quoted, word]) => ({
    not: not === '-',
    field,
    value: quoted ?? word,
  }));
}

/** `5xx` matches 500 to 599, `404` only 404. */
function glob(value, status) {
  const text = status.toLowerCase();
  return (
    value.length === text.length && [...value].every((digit, index) => digit === 'x' || digit === text[index])
  );
}

const LIMIT = /^([<>]?)(\d+(?:\.\d+)?)$/;
const RANGE = /^(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)?$/;

/** A range: `>500`, `<2`, `10..20` (without 20), `10..`, `42`. */
function within(value, read) {
  const [, from, to = Infinity] = RANGE.exec(value) ?? [];
  if (from) return (flow) => read(flow) >= Number(from) && read(flow) < Number(to);
  const [, sign, limit] = LIMIT.exec(value) ?? [];
  if (!limit) return undefined;
  if (sign === '>') return (flow) => read(flow) > Number(limit);
  if (sign === '<') return (flow) => read(flow) < Number(limit);
  return (flow) => read(flow) === Number(limit);
}

function listHeaders({ request, response }) {
  return [request, response]
    .filter(Boolean)
    .flatMap(({ headers, trailers }) => [...headers, ...(trailers ?? [])])
    .map(([name, value]) => `${name}: ${value}`);
}

function listTexts({ request, response, messages }) {
  return [request?.body?.text, response?.body?.text, ...(messages ?? []).map(({ text }) => text)];
}

/** Adds a term to a search, or removes it if it is there. */
export function toggled(query, field, value) {
  const plain = value.replace(UNQUOTABLE, '');
  const term = `${field}:${/\s/.test(plain) ? `"${plain}"` : plain}`;
  const rest = query.replace(new RegExp(`(^|\\s)${field}:("[^"]*"?|\\S+)`, 'gi'), '').trim();
  return hasTerm(query, term) ? rest : `${rest} ${term}`.trim();
}

function hasTerm(query, term) {
  return ` ${query.toLowerCase()} `.includes(` ${term.toLowerCase()} `);
}
