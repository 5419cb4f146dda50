// The sections of the side panel.

import { bodyView, messageContent } from './body.js';
import { element, visible } from './element.js';
import { bytes, count, duration } from './number.js';

/** A section with a title, which can be closed. */
export function part(title, note, ...children) {
  const summary = element('summary', {}, `${title} `, note ? element('span', {}, note) : '');
  return element('details', { open: true }, summary, ...children);
}

/** Pairs as a table. Names and values may be any captured text. */
export function pairs(rows) {
  const lines = rows.map(([name, value]) => {
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, ...visible(name)),
      element('td', {}, ...visible(value)),
    );
  });
  return element('table', { class: 'pairs' }, ...lines);
}

/** The headers, query or form, and body of a request or response. */
export function messageParts(name, message) {
  const { headers, moreHeaders, trailers, body } = message;
  const more = moreHeaders && element('p', { class: 'about' }, `and ${count(moreHeaders)} more`);
  const form = message.media === 'application/x-www-form-urlencoded' && body?.text && parseForm(body.text);
  const trailer = trailers?.length && part(`${name} trailers`, count(trailers.length), pairs(trailers));
  return [
    part(`${name} headers`, count(headers.length + (moreHeaders ?? 0)), pairs(headers), more || undefined),
    ...(form ? [part(`${name} form`, count(form.length), pairs(form))] : []),
    part(`${name} body`, '', bodyView(body, message)),
    ...(trailer ? [trailer] : []),
  ];
}

/** The parameters of a query or form. */
export function parseForm(text) {
  return [...new URLSearchParams(text)].slice(0, 200);
}

/** The phases of a flow: a bar and their durations. */
export function timing({ request, response, server, latency }) {
  if (!request || !response || latency === undefined) return undefined;
  const phases = [
    ['connect', server.connect],
    ['TLS', server.encrypt],
    ['request', ms(request.start, request.end)],
    ['wait', ms(request.end, response.start)],
    ['response', ms(response.start, response.end)],
  ].filter(([, time]) => time >= 0 && time !== null);
  const bar = element('div', { class: 'phases', 'aria-hidden': 'true' });
  const list = element('ul', { class: 'legend' });
  for (const [name, time] of phases) {
    const piece = element('i', { class: `phase-${name.toLowerCase()}` });
    piece.style.flexGrow = String(time);
    bar.append(piece);
    list.append(element('li', { class: `phase-${name.toLowerCase()}` }, `${name} ${duration(time)}`));
  }
  return element('div', { class: 'timing' }, bar, list);
}

function ms(from, to) {
  return to === undefined || from === undefined ? undefined : (to - from) * 1000;
}

/** The messages of a WebSocket, TCP or UDP connection, in order. */
export function messageList({ messages = [], messageCount = 0, started, closed }) {
  const items = messages.map((message) => {
    const from = message.fromClient ? 'client' : 'server';
    const facts = [`+${duration(Math.max(0, message.at - started) * 1000)}`, bytes(message.bytes)];
    if (message.dropped) facts.push('dropped');
    const about = element(
      'p',
      { class: 'about' },
      element('b', {}, `from ${from}`),
      ` ${facts.join(' \u00b7 ')}`,
    );
    return element('li', { class: from }, about, messageContent(message));
  });
  const rest = messageCount - messages.length;
  const more = rest > 0 && element('li', { class: 'about' }, `and ${count(rest)} more`);
  const list = element('ol', { class: 'messages' }, ...items, more);
  return part('Messages', count(messageCount), list, closed ? closeNote(closed) : undefined);
}

function closeNote({ code, reason, byClient }) {
  if (code === undefined && byClient === undefined) return element('p', { class: 'about' }, 'Still open.');
  const by = byClient === undefined ? '' : ` by the ${byClient ? 'client' : 'server'}`;
  const text = `Closed${by}${code === undefined ? '' : ` with code ${code}`}${reason ? `: ${reason}` : ''}`;
  return element('p', { class: 'about' }, ...visible(text));
}
