// JSON laid out for reading: by its tokens, so that nothing in it changes, and also when its end is missing.

import { element, visibleLines } from './element.js';

const TOKEN = /("(?:[^"\\]|\\.)*"?)|(-?\d[\d.eE+-]*|true|false|null)|([{[])|([}\]])|(,)|(:)|\s+|./gsy;
/** Deeper levels are not indented further. */
const MAX_INDENT = 40;

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
  const line = () => `\n${'  '.repeat(Math.min(depth, MAX_INDENT))}`;
  const add = (name, token) => {
    if (plain) nodes.push(plain);
    plain = '';
    nodes.push(element('span', { class: name }, ...visibleLines(token)));
  };
  for (const match of text.matchAll(TOKEN)) {
    const [token, string, literal, open, close, comma, colon] = match;
    const after = text.slice(match.index + token.length, match.index + token.length + 100).trimStart();
    if (string) add(after.startsWith(':') ? 'key' : 'string', token);
    else if (literal) add('literal', token);
    else if (open) {
      depth++;
      plain += /^[}\]]/.test(after) ? open : open + line();
    } else if (close) {
      depth = Math.max(0, depth - 1);
      plain += /[{[]$/.test(plain) ? close : line() + close;
    } else if (comma) plain += comma + line();
    else if (colon) plain += ': ';
    else if (token.trim()) add('mark', token);
  }
  return plain ? [...nodes, plain] : nodes;
}
