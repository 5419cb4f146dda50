// Elements of the page. What flows carry gets into it by `visible` alone, which makes text.

const SVG = 'http://www.w3.org/2000/svg';

/** Characters that are not seen, or change how others are: controls, bidi overrides, halves of a pair, fillers. */
const UNSEEN = /(?![\n\t\u200d]|\r\n)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029\u115f\u1160\u3164\uffa0]/gu;
/** In a line, line breaks too. */
const UNSEEN_IN_LINE = /(?!\u200d)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029\u115f\u1160\u3164\uffa0]/gu;

/** Of a text: more would make the page slow. */
const MAX_NODES = 1000;

/** An element; children are elements and texts, and what is undefined or empty is left out. */
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

/** A text as nodes, with marks for the characters that are not seen; for the first of them, if there are very many. */
export function visible(text, unseen = UNSEEN_IN_LINE) {
  const nodes = [];
  let at = 0;
  for (const { 0: character, index } of text.matchAll(unseen)) {
    if (nodes.length > MAX_NODES) return [...nodes, text.slice(at).replace(unseen, nameOf)];
    if (index > at) nodes.push(text.slice(at, index));
    nodes.push(element('span', { class: 'mark' }, nameOf(character)));
    at = index + character.length;
  }
  if (at < text.length) nodes.push(text.slice(at));
  return nodes;
}

/** A text of several lines as nodes. */
export function visibleLines(text) {
  return visible(text, UNSEEN);
}

/** A text without nodes, for where there are only texts, such as a title. */
export function visibleText(text) {
  return text.replace(UNSEEN_IN_LINE, nameOf);
}

function nameOf(character) {
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  const code = character.codePointAt(0).toString(16).toUpperCase();
  return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `U+${code.padStart(4, '0')}`;
}

/** The beginning of a long text: a line shows no more of it. */
export function beginning(text, length = 300) {
  return text.length > length ? `${text.slice(0, length)}\u2026` : text;
}
