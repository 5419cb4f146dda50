// The columns of the table.

import { beginning, element, visible } from './element.js';
import { bytes, count, duration, plural, timeOfDay } from './number.js';

/** Each column: its name, the value for sorting, and the cell. */
export const COLUMNS = [
  { name: '#', class: 'number', of: ({ number }) => number, cell: ({ number }) => [count(number)] },
  {
    name: 'Start',
    class: 'start',
    of: ({ started }) => started,
    cell: ({ started }) => [timeOfDay(started)],
  },
  { name: 'Method', class: 'method', of: ({ method }) => method, cell: ({ method }) => visible(method) },
  { name: 'Status', class: 'status', of: ({ status }) => status, cell: statusCell },
  { name: 'Host', class: 'host', of: ({ host }) => host, cell: ({ host }) => visible(beginning(host)) },
  { name: 'Path', class: 'path', of: ({ path }) => path, cell: pathCell },
  {
    name: 'Type',
    class: 'type',
    of: ({ media }) => media,
    cell: ({ media, type }) => visible(media || formatKind(type)),
  },
  { name: 'Size', class: 'size', of: ({ size }) => size, cell: ({ size }) => [bytes(size)] },
  { name: 'Latency', class: 'latency', of: ({ latency }) => latency ?? -1, cell: latencyCell },
];

function statusCell({ status, class: name }) {
  return status ? [element('span', { class: `status-${name}` }, ...visible(status))] : [];
}

function pathCell({ path, error, type, messageCount }) {
  const messages = messageCount && plural(messageCount, 'message');
  const note = [error && beginning(error, 100), type !== 'http' && messages].filter(Boolean).join(' \u00b7 ');
  const nodes = visible(beginning(path));
  return note
    ? [...nodes, ' ', element('span', { class: error ? 'note bad' : 'note' }, ...visible(note))]
    : nodes;
}

function formatKind(type) {
  return type === 'http' ? '' : type;
}

/** A logarithmic bar beside the number; the slowest flow has a full bar. */
function latencyCell({ latency, slowness }) {
  if (latency === undefined) return [];
  const meter = element('meter', { max: 1, value: slowness, 'aria-hidden': 'true' });
  return [meter, element('span', {}, duration(latency))];
}
