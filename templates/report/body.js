// Shows bodies and messages as text, indented JSON or hex. They are never rendered.

import { element, visibleLines } from './element.js';
import { isJson, prettyJson } from './json.js';
import { bytes } from './number.js';

/** A body, and a line about its type, its length and what is missing. */
export function bodyView(body, { media = '', sent } = {}) {
  if (!body) return element('p', { class: 'empty' }, 'Not recorded: it was streamed.');
  if (body.bytes === 0) return element('p', { class: 'empty' }, 'Empty.');
  const facts = [bytes(body.bytes), media].filter(Boolean);
  if (sent !== undefined && sent !== body.bytes) facts.push(`sent as ${bytes(sent)}`);
  const view = contentView(body, media);
  const about = element('p', { class: 'about' }, element('bdi', {}, facts.join(' \u00b7 ')), view.toggle);
  return element('div', { class: 'body' }, about, view.content, cutNote(body));
}

/** The content of a message or body. If there are two views of it, a button switches between them. */
function contentView({ text, base64, cut }, media) {
  if (base64 !== undefined) return { content: block(hexDump(base64), 'hex') };
  if (text === undefined)
    return { content: element('p', { class: 'empty' }, 'Left out: the report has no more room.') };
  if (!isJson(text, media, cut)) return { content: block(visibleLines(text)) };
  const content = block(prettyJson(text), 'json');
  const toggle = element('button', { type: 'button', 'aria-pressed': 'false' }, 'Raw');
  toggle.addEventListener('click', () => {
    const raw = toggle.getAttribute('aria-pressed') === 'false';
    toggle.setAttribute('aria-pressed', String(raw));
    content.replaceChildren(...(raw ? visibleLines(text) : prettyJson(text)));
  });
  return { content, toggle };
}

export function messageContent(message) {
  if (message.bytes === 0) return element('p', { class: 'empty' }, 'Empty.');
  return element('div', { class: 'body' }, contentView(message, '').content, cutNote(message));
}

function cutNote({ cut, text, base64, bytes: length }) {
  if (!cut) return undefined;
  if (text === '' || base64 === '')
    return element('p', { class: 'about' }, 'Its content is not in the report.');
  return element('p', { class: 'about' }, `Only the beginning of ${bytes(length)} is in the report.`);
}

function block(nodes, name = '') {
  return element('pre', { class: name, tabindex: '0', dir: 'auto' }, ...[nodes].flat());
}

/** A hex dump: offset, 16 bytes and their ASCII characters per line. */
function hexDump(base64) {
  const data = atob(base64);
  const lines = [];
  for (let at = 0; at < data.length; at += 16) {
    const row = [...data.slice(at, at + 16)];
    const hex = row.map((character) => character.charCodeAt(0).toString(16).padStart(2, '0'));
    const text = row.map((character) => (character >= ' ' && character <= '~' ? character : '.')).join('');
    const columns = `${hex.slice(0, 8).join(' ')}  ${hex.slice(8).join(' ')}`;
    lines.push(`${at.toString(16).padStart(6, '0')}  ${columns.padEnd(48)}  ${text}`);
  }
  return lines.join('\n');
}
