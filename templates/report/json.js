// JSON laid out for reading: by its tokens, so that nothing in it changes, and also when its end is missing.

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
/** Deeper levels are not indented further. */
const MAX_INDENT = 20;

/** Whether a body is shown as JSON: by its media type or its looks; with its end missing that cannot be made sure of. */
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

/** @returns nodes, with strings, keys and the like in spans of their class. */
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
    // What an empty list or object has between its brackets is left out.
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
