// The table of flows. Only visible rows are in the page, so it can have any number of rows.

import { COLUMNS } from './column.js';
import { element } from './element.js';
import { count } from './number.js';

/** The height of a row in pixels, as in table.css. */
const ROW = 30;
/** Rows in the page above and below the visible ones. */
const MARGIN = 10;
/** The most rows on paper. */
const PRINTED = 500;

/** The table: its flows, their order, and the current row. */
export class Table {
  #grid;
  #rows;
  #flows = [];
  #sort = { column: COLUMNS[1], descending: false };
  #current;
  #open;

  /** @param open is called with the flow of a clicked row. */
  constructor(grid, open) {
    this.#grid = grid;
    this.#rows = element('div', { class: 'rows', role: 'rowgroup' });
    grid.append(element('div', { class: 'head', role: 'rowgroup' }), this.#rows);
    this.#open = open;
    const attributes = { role: 'grid', tabindex: 0, 'aria-label': 'Flows', 'aria-describedby': 'grid-help' };
    for (const [name, value] of Object.entries(attributes)) grid.setAttribute(name, value);
    grid.setAttribute('aria-colcount', COLUMNS.length);
    this.#showHead();
    for (const event of ['scroll', 'resize']) addEventListener(event, () => this.render(), { passive: true });
    addEventListener('beforeprint', () => this.#print());
    addEventListener('afterprint', () => this.render());
  }

  get current() {
    return this.#current;
  }

  /** Shows these flows. The current flow stays current if it is among them. */
  show(flows) {
    const slowest = flows.reduce((most, { latency = 0 }) => Math.max(most, latency), 1);
    for (const flow of flows) flow.slowness = Math.log1p(flow.latency ?? 0) / Math.log1p(slowest);
    this.#flows = flows;
    if (!flows.includes(this.#current)) this.#current = undefined;
    this.#order();
  }

  #order() {
    const { column, descending } = this.#sort;
    const sign = descending ? -1 : 1;
    this.#flows = this.#flows.toSorted((one, other) => {
      const [a, b] = [column.of(one), column.of(other)];
      if (a === b) return one.number - other.number;
      return a < b ? -sign : sign;
    });
    this.#grid.setAttribute('aria-rowcount', this.#flows.length + 1);
    this.render();
  }

  #showHead() {
    const cells = COLUMNS.map((column) => {
      const { descending } = this.#sort;
      const sort = column !== this.#sort.column ? 'none' : descending ? 'descending' : 'ascending';
      const button = element(
        'button',
        { type: 'button', tabindex: '-1', onclick: () => this.#sortBy(column) },
        column.name,
      );
      return element('div', { role: 'columnheader', class: column.class, 'aria-sort': sort }, button);
    });
    const row = element('div', { role: 'row', class: 'row', 'aria-rowindex': 1 }, ...cells);
    this.#grid.querySelector('.head').replaceChildren(row);
  }

  #sortBy(column) {
    const again = column === this.#sort.column;
    // The slowest and largest come first.
    const first = column.class === 'latency' || column.class === 'size';
    this.#sort = { column, descending: again ? !this.#sort.descending : first };
    this.#showHead();
    this.#order();
  }

  /** Sorts by the next or previous column, or reverses the order. */
  sortNext(step) {
    const index = COLUMNS.indexOf(this.#sort.column) + step;
    this.#sortBy(COLUMNS[(index + COLUMNS.length) % COLUMNS.length]);
  }

  /** Moves the current row by a number of rows. */
  move(step) {
    const index = this.#flows.indexOf(this.#current);
    const next = index < 0 ? (step < 0 ? this.#flows.length - 1 : 0) : index + step;
    this.moveTo(Math.min(Math.max(next, 0), this.#flows.length - 1));
  }

  moveTo(index) {
    const flow = this.#flows.at(index);
    if (flow) this.choose(flow);
  }

  choose(flow) {
    this.#current = flow;
    this.#reveal(this.#flows.indexOf(flow));
    this.render();
  }

  /** The number of visible rows. */
  get page() {
    return Math.max(1, Math.floor(innerHeight / ROW) - 6);
  }

  #reveal(index) {
    const top = this.#rows.getBoundingClientRect().top + index * ROW;
    const ceiling = this.#grid.querySelector('.head').getBoundingClientRect().height + headerHeight();
    if (top < ceiling) scrollBy(0, top - ceiling - ROW);
    else if (top + ROW > innerHeight) scrollBy(0, top + 2 * ROW - innerHeight);
  }

  /** Puts the visible rows into the page. */
  render() {
    this.#rows.style.height = `${this.#flows.length * ROW}px`;
    const above = -this.#rows.getBoundingClientRect().top;
    // When the page gets shorter, the browser scrolls back later. Until then the last rows are shown.
    const last = Math.max(0, this.#flows.length - 2 * MARGIN);
    const from = Math.min(Math.max(0, Math.floor(above / ROW) - MARGIN), last);
    const to = Math.min(this.#flows.length, Math.ceil((above + innerHeight) / ROW) + MARGIN);
    this.#put(from, to);
    const seen = this.#rows.querySelector('[aria-selected=true]');
    if (seen) this.#grid.setAttribute('aria-activedescendant', seen.id);
    else this.#grid.removeAttribute('aria-activedescendant');
  }

  #put(from, to) {
    const rows = this.#flows.slice(from, to).map((flow, index) => this.#createRow(flow, from + index));
    this.#rows.replaceChildren(...rows);
  }

  #createRow(flow, index) {
    const attributes = {
      role: 'row',
      id: `row-${flow.number}`,
      class: flow.failed ? 'row failed' : 'row',
      'aria-rowindex': index + 2,
      'aria-selected': String(flow === this.#current),
      onclick: () => this.#open(flow),
    };
    const cells = COLUMNS.map(({ class: name, cell }) => {
      return element('div', { role: 'gridcell', class: name }, ...cell(flow));
    });
    const row = element('div', attributes, ...cells);
    row.style.top = `${index * ROW}px`;
    return row;
  }

  #print() {
    const rest = this.#flows.length - PRINTED;
    this.#rows.style.height = 'auto';
    this.#put(0, PRINTED);
    if (rest > 0) this.#rows.append(element('p', { class: 'about' }, `and ${count(rest)} more`));
  }
}

function headerHeight() {
  return document.querySelector('.bar').getBoundingClientRect().height;
}
