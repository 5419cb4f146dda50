// The side panel with the details of one flow.

import { dnsTable } from './dns.js';
import { element, visible } from './element.js';
import { bytes, count, dateTime, duration } from './number.js';
import { messageList, messageParts, pairs, parseForm, part, timing } from './section.js';

/** Shows a flow in the side panel. */
export function showDetail(panel, flow, close) {
  panel.replaceChildren(formatTitle(flow, close), ...listRemarks(flow), ...listParts(flow));
  panel.setAttribute('aria-label', `Flow ${count(flow.number)}`);
  panel.scrollTop = 0;
  panel.hidden = false;
}

function formatTitle(flow, close) {
  const { method, host, path, status, class: name, response } = flow;
  const reason = response?.reason ? ` ${response.reason}` : '';
  const state = status && element('span', { class: `status-${name}` }, ...visible(status + reason));
  const facts = [`#${count(flow.number)}`, dateTime(flow.started), duration(flow.latency)];
  facts.push(
    `${bytes(flow.sent)} in, ${bytes(flow.received)} out`,
    response?.version ?? flow.request?.version,
  );
  const button = element(
    'button',
    { type: 'button', class: 'close', 'aria-label': 'Close', title: 'Close (Esc)', onclick: close },
    '\u00d7',
  );
  return element(
    'header',
    {},
    button,
    element('p', { class: 'line' }, element('b', {}, ...visible(method)), state),
    element('h2', {}, flow.request ? element('span', {}, ...visible(host)) : '', ...visible(path)),
    element('p', { class: 'about' }, facts.filter(Boolean).join(' \u00b7 ')),
  );
}

function listRemarks({ error, comment, marked, replayed }) {
  const notices = [
    ['bad', 'Error: ', error],
    ['', 'Comment: ', comment],
    ['', 'Marked: ', marked],
    ['', 'Replayed: ', replayed],
  ];
  return notices
    .filter(([, , text]) => text)
    .map(([kind, label, text]) => element('p', { class: `notice ${kind}` }, label, ...visible(text)));
}

function listParts(flow) {
  const { request, response, dns, type } = flow;
  const query = request ? parseForm(findQuery(request.path)) : [];
  const parts = [timing(flow)];
  if (type !== 'http' && type !== 'dns') parts.push(messageList(flow));
  if (dns) parts.push(part('DNS', '', ...dnsTable(dns)));
  if (query.length > 0) parts.push(part('Query', count(query.length), pairs(query)));
  if (request) parts.push(...messageParts('Request', request));
  if (response) parts.push(...messageParts('Response', response));
  else if (request) parts.push(element('p', { class: 'empty' }, 'There was no response.'));
  parts.push(part('Connection', '', pairs(listConnection(flow))));
  return parts.filter(Boolean);
}

function findQuery(path) {
  const at = path.indexOf('?');
  return at < 0 ? '' : path.slice(at + 1);
}

function listConnection({ client, server, request }) {
  return [
    ['Client', client.peer ?? client.address],
    ['Client TLS', client.tls],
    ['Server', server.address],
    ['Server address', server.peer !== server.address && server.peer],
    ['Server TLS', server.tls],
    ['Server name', server.sni || client.sni],
    ['Scheme', request?.scheme],
  ].filter(([, value]) => value);
}
