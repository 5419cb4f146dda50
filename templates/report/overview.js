// The overview of the shown flows: charts, counts, endpoints.

import { beginning, element, visible, visibleText } from './element.js';
import { CLASSES } from './flow.js';
import { latencyChart } from './latency-chart.js';
import { bytes, count, dateTime, duration, percent } from './number.js';
import { calculateStatistics, countEndpoints, countStatuses } from './statistics.js';
import { timeChart } from './time-chart.js';

const ENDPOINTS = 10;
const MORE_ENDPOINTS = 500;
const STATUSES = 12;

/** Fills the overview. `choose` is called with the field and value of a clicked item. */
export function showOverview(section, flows, all, choose) {
  const statistics = calculateStatistics(flows);
  const times = element(
    'figure',
    { class: 'card wide' },
    element('figcaption', {}, 'Timeline', legend(flows)),
  );
  const latency = element('figure', { class: 'card' }, element('figcaption', {}, 'Latency'));
  section.replaceChildren(
    cards(statistics, all),
    times,
    latency,
    endpointsCard(flows, choose),
    statusesCard(flows, choose),
  );
  const draw = () => {
    if (flows.length > 0) drawIn(times, (width) => timeChart(width, flows, statistics, choose));
    if (statistics.latencies.length > 0) drawIn(latency, (width) => latencyChart(width, statistics, choose));
  };
  draw();
  return draw;
}

/** The colours of the classes. */
function legend(flows) {
  const names = CLASSES.filter((name) => flows.some((flow) => flow.class === name));
  return element(
    'ul',
    { class: 'legend' },
    ...names.map((name) => element('li', { class: `class-${name}` }, name)),
  );
}

/** Replaces what is below the caption. */
function drawIn(figure, drawChart) {
  const width = Math.max(200, figure.clientWidth - 32);
  figure.querySelector('svg')?.remove();
  figure.append(drawChart(width));
}

function cards({ count: number, failed, sent, received, first, last, p50, p95, p99 }, all) {
  const span = last - first;
  const rate = span > 0 ? `${count(Number((number / span).toPrecision(3)))} per second` : '';
  const of = number === all ? '' : `of ${count(all)} \u00b7 `;
  return element(
    'dl',
    { class: 'cards' },
    card('Flows', count(number), of + rate),
    card(
      'Failed',
      count(failed),
      number ? `${percent(failed / number)} of them` : '',
      failed > 0 ? 'bad' : '',
    ),
    card('p50', duration(p50) || '\u2013', 'half are faster'),
    card('p95', duration(p95) || '\u2013', '1 in 20 is slower'),
    card('p99', duration(p99) || '\u2013', '1 in 100 is slower'),
    card('Bodies', bytes(sent + received), `${bytes(sent)} in, ${bytes(received)} out`),
    card(
      'Time',
      number ? duration(span * 1000) : '\u2013',
      number ? `from ${dateTime(first).slice(0, 19)}` : '',
    ),
  );
}

function card(name, value, note, kind = '') {
  return element(
    'div',
    { class: `card ${kind}` },
    element('dt', {}, name),
    element('dd', {}, element('strong', {}, value), element('span', {}, note)),
  );
}

function statusesCard(flows, choose) {
  const statuses = countStatuses(flows);
  const [{ count: most } = { count: 1 }] = statuses;
  const rows = statuses.slice(0, STATUSES).map(({ name, class: kind, count: number }) => {
    const bar = element('meter', { class: `meter-${kind}`, max: most, value: number, 'aria-hidden': 'true' });
    const [field, value] = /^(TCP|UDP)$/.test(name) ? ['type', name.toLowerCase()] : ['status', name];
    const filter = element(
      'button',
      { type: 'button', class: 'link', onclick: () => choose(field, value) },
      ...visible(name),
    );
    const cells = [element('th', { scope: 'row' }, filter), element('td', { class: 'meter' }, bar)];
    const share = element('td', { class: 'faint' }, percent(number / flows.length));
    return element('tr', {}, ...cells, element('td', {}, count(number)), share);
  });
  const table = element('table', { class: 'statuses' }, element('caption', {}, 'Status'), ...rows);
  return element('div', { class: 'card' }, table, moreNote(statuses.length - STATUSES));
}

function endpointsCard(flows, choose) {
  const endpoints = countEndpoints(flows);
  const names = ['Endpoint', 'Flows', 'Failed', 'p50', 'p95', 'p99'];
  const head = element('tr', {}, ...names.map((name) => element('th', { scope: 'col' }, name)));
  const body = element(
    'tbody',
    {},
    ...endpoints.slice(0, ENDPOINTS).map((endpoint) => endpointRow(endpoint, choose)),
  );
  const caption = element('caption', {}, 'Endpoints');
  const table = element('table', { class: 'endpoints' }, caption, element('thead', {}, head), body);
  const more = endpoints.length > ENDPOINTS && moreButton(endpoints, body, choose);
  return element('div', { class: 'card wide' }, element('div', { class: 'scroll' }, table), more);
}

function endpointRow({ name, count: number, failed, p50, p95, p99 }, choose) {
  const title = visibleText(beginning(name));
  const filter = element(
    'button',
    { type: 'button', class: 'link', title, onclick: () => choose('endpoint', name) },
    ...visible(beginning(name)),
  );
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, filter),
    element('td', {}, count(number)),
    element('td', { class: failed ? 'bad' : 'faint' }, count(failed)),
    ...[p50, p95, p99].map((ms) => element('td', {}, duration(ms) || '\u2013')),
  );
}

function moreButton(endpoints, body, choose) {
  const button = element('button', { type: 'button' }, `All ${count(endpoints.length)} endpoints`);
  button.addEventListener('click', () => {
    const rows = endpoints.slice(ENDPOINTS, MORE_ENDPOINTS).map((endpoint) => endpointRow(endpoint, choose));
    body.append(...rows);
    button.replaceWith(moreNote(endpoints.length - MORE_ENDPOINTS) ?? '');
  });
  return button;
}

function moreNote(number) {
  return number > 0 ? element('p', { class: 'about' }, `and ${count(number)} more`) : undefined;
}
