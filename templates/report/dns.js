// Shows DNS messages.

import { element, visible } from './element.js';
import { count } from './number.js';

/** https://www.iana.org/assignments/dns-parameters, the types in common use. */
const TYPES = new Map([
  [1, 'A'],
  [2, 'NS'],
  [5, 'CNAME'],
  [6, 'SOA'],
  [12, 'PTR'],
  [15, 'MX'],
  [16, 'TXT'],
  [28, 'AAAA'],
  [33, 'SRV'],
  [64, 'SVCB'],
  [65, 'HTTPS'],
  [255, 'ANY'],
]);

/** The questions and answers as tables. */
export function dnsTable({ request, response }) {
  const questions = request.questions.map(({ name, type }) => [name, formatType(type), '', '']);
  const answers = response?.answers.map(({ name, type, ttl, data }) => {
    return [name, formatType(type), `${count(ttl)} s`, formatData(type, parseHex(data)) ?? data];
  });
  return [
    section('Question', questions, ['Name', 'Type']),
    section('Answer', answers ?? [], ['Name', 'Type', 'TTL', 'Data']),
  ];
}

function section(caption, rows, columns) {
  if (rows.length === 0) return element('p', { class: 'empty' }, `No ${caption.toLowerCase()}.`);
  const head = element('tr', {}, ...columns.map((name) => element('th', { scope: 'col' }, name)));
  const lines = rows.map((row) => {
    return element(
      'tr',
      {},
      ...row.slice(0, columns.length).map((text) => element('td', {}, ...visible(text))),
    );
  });
  return element('table', { class: 'records' }, element('caption', {}, caption), head, ...lines);
}

function formatType(type) {
  return TYPES.get(type) ?? `TYPE${type}`;
}

function parseHex(hex) {
  return (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
}

/** The data of a record: an address, a name or texts; undefined for other types, which are shown in hex. */
function formatData(type, bytes) {
  const name = TYPES.get(type);
  if (name === 'A' && bytes.length === 4) return bytes.join('.');
  if (name === 'AAAA' && bytes.length === 16) return formatAddress(bytes);
  if (name === 'CNAME' || name === 'NS' || name === 'PTR') return labels(bytes)?.join('.');
  if (name === 'TXT')
    return labels(bytes)
      ?.map((text) => JSON.stringify(text))
      .join(' ');
  return undefined;
}

/** An IPv6 address. Its longest run of zeros becomes `::`, as in RFC 5952. */
function formatAddress(bytes) {
  const groups = [];
  for (let at = 0; at < 16; at += 2) groups.push((bytes[at] * 256 + bytes[at + 1]).toString(16));
  const [longest = ''] = (`:${groups.join(':')}:`.match(/:0(:0)+(?=:)/g) ?? []).sort(
    (a, b) => b.length - a.length,
  );
  const address = groups.join(':');
  if (!longest) return address;
  return `:${address}:`
    .replace(`${longest}:`, '::')
    .replace(/^:(?!:)/, '')
    .replace(/(?<!:):$/, '');
}

/** Texts, each after its length; undefined if the lengths do not add up. */
function labels(bytes) {
  const texts = [];
  for (let at = 0; at < bytes.length && bytes[at] > 0; ) {
    const end = at + 1 + bytes[at];
    if (end > bytes.length) return undefined;
    texts.push(String.fromCharCode(...bytes.slice(at + 1, end)));
    at = end;
  }
  return texts;
}
