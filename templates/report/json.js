// Indents JSON token by token: no token changes, and it works for JSON that is cut off.

import { element, visibleLines } from './element.js';

const TOKEN = new RegExp(
  [
    /(?<string>"(?:[^"\\]|\\.)*"?)/,
    /(?<literal>-?\d[\d.eE+-]*|true|false|null)/,
    /(?<open>[{[])|(?<close>[}\]])|(?<comma>,)|(?<colon>:)|(?<space>\s+)|(?<other>.)/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gsy',
);
const INDENT = '  ';
/** Deeper levels get no further indent. */
const MAX_INDENT = 20;

/** Whether a body is shown as JSON, by its media type or its start. A body that is cut off cannot be parsed. */
export function isJson(text, media, cut) {
  if (cut) return /\bjson$/.test(media);
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** @returns nodes, with keys, strings and literals in spans of their class. */
export function prettyJson(text) {
  const nodes = [];
  let plain = '';
  let depth = 0;
  let opened = false;
  const line = () => `\n${INDENT.repeat(Math.min(depth, MAX_INDENT))}`;
  const add = (name, token) => {
    if (plain) nodes.push(plain);
    plain = '';
    nodes.push(element('span', { class: name }, ...visibleLines(token)));
  };
  for (const { 0: token, groups, index } of text.matchAll(TOKEN)) {
    if (groups.space) continue;
    // No line break within an empty list or object.
    if (opened && !groups.close) plain += line();
    const { string, literal, open, close, comma, colon } = groups;
    if (string) add(isKey(text, index + token.length) ? 'key' : 'string', token);
    else if (literal) add('literal', token);
    else if (close) depth = Math.max(0, depth - 1);
    if (open) depth++;
    if (close && !opened) plain += line();
    if (open || close || comma) plain += token;
    if (comma) plain += line();
    if (colon) plain += ': ';
    if (groups.other) add('mark', token);
    opened = Boolean(open);
  }
  return plain ? [...nodes, plain] : nodes;
}

function isKey(text, end) {
  return /^\s*:/.test(text.slice(end, end + 20));
}
