// Makes elements of the page. Captured data enters the page only through `visible`, which makes text.

const SVG = 'http://www.w3.org/2000/svg';

/** Characters that are invisible or change others: controls, bidi overrides, lone surrogates, fillers. */
const UNSEEN = /(?![\n\t\u200d]|\r\n)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029\u115f\u1160\u3164\uffa0]/gu;
/** Within a line, also line breaks. */
const UNSEEN_IN_LINE = /(?!\u200d)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029\u115f\u1160\u3164\uffa0]/gu;

/** The most marks in a text: more would make the page slow. */
const MAX_NODES = 1000;

/** Makes an element. Children are elements and texts; undefined and empty ones are left out. */
export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat().filter((child) => child !== undefined && child !== '' && child !== false));
  return node;
}

/** A text as nodes, with marks for invisible characters, up to a limit. */
export function visible(text, unseen = UNSEEN_IN_LINE) {
  const nodes = [];
  let at = 0;
  for (const { 0: character, index } of text.matchAll(unseen)) {
    if (nodes.length > MAX_NODES) return [...nodes, text.slice(at).replace(unseen, formatMark)];
    if (index > at) nodes.push(text.slice(at, index));
    nodes.push(element('span', { class: 'mark' }, formatMark(character)));
    at = index + character.length;
  }
  if (at < text.length) nodes.push(text.slice(at));
  return nodes;
}

/** As `visible`, for a text of several lines. */
export function visibleLines(text) {
  return visible(text, UNSEEN);
}

/** As `visible`, for a place that takes only text, such as a title. */
export function visibleText(text) {
  return text.replace(UNSEEN_IN_LINE, formatMark);
}

function formatMark(character) {
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  const code = character.codePointAt(0).toString(16).toUpperCase();
  return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `U+${code.padStart(4, '0')}`;
}

/** The start of a long text, as much as fits into a line. */
export function beginning(text, length = 300) {
  return text.length > length ? `${text.slice(0, length)}\u2026` : text;
}
