// The page: reads the flows and connects the parts.

import { showDetail } from './detail.js';
import { element } from './element.js';
import { takeFlows } from './flow.js';
import { listenForKeys } from './keyboard.js';
import { count, plural } from './number.js';
import { showOverview } from './overview.js';
import { parseSearch, toggled } from './search.js';
import { Table } from './table.js';

const [search, found, overview, grid, detail, help] = [
  'search',
  'found',
  'overview',
  'grid',
  'detail',
  'help',
].map((id) => document.getElementById(id));
const { flows, end } = takeFlows();
const table = new Table(grid, open);
let redraw = () => {};
/** The timer that delays the search while the user types. */
let typing;

function show() {
  const shown = flows.filter(parseSearch(search.value));
  redraw = showOverview(overview, shown, flows.length, choose);
  table.show(shown);
  found.textContent =
    shown.length === flows.length
      ? plural(shown.length, 'flow')
      : `${count(shown.length)} of ${plural(flows.length, 'flow')}`;
  document.getElementById('none').hidden = shown.length > 0 || flows.length === 0;
}

/** Adds a term that was clicked in the overview to the search, or removes it. */
function choose(field, value) {
  setSearch(toggled(search.value, field, value));
}

function setSearch(query) {
  search.value = query;
  show();
}

function open(flow) {
  table.choose(flow);
  document.body.classList.add('with-detail');
  showDetail(detail, flow, close);
  table.choose(flow);
  redraw();
}

function close() {
  detail.hidden = true;
  document.body.classList.remove('with-detail');
  redraw();
  table.render();
  grid.focus({ preventScroll: true });
}

/** Moves to another row. If a flow is open, opens the other one instead. */
function moved(move) {
  return () => {
    move();
    if (!detail.hidden && table.current) open(table.current);
    else if (document.activeElement !== grid) grid.focus({ preventScroll: true });
  };
}

const actions = {
  search: () => search.select(),
  leaveSearch: () => grid.focus({ preventScroll: true }),
  escapeSearch: () => (search.value ? setSearch('') : grid.focus({ preventScroll: true })),
  help: () => help.showModal(),
  next: moved(() => table.move(1)),
  previous: moved(() => table.move(-1)),
  nextPage: moved(() => table.move(table.page)),
  previousPage: moved(() => table.move(-table.page)),
  first: moved(() => table.moveTo(0)),
  last: moved(() => table.moveTo(-1)),
  sortNext: () => table.sortNext(1),
  sortReverse: () => table.sortNext(0),
  sortPrevious: () => table.sortNext(-1),
  open: () => {
    if (!table.current) table.move(1);
    if (!table.current) return;
    open(table.current);
    detail.focus({ preventScroll: true });
  },
  escape: () => (detail.hidden ? setSearch('') : close()),
};

function listNotices() {
  if (!end) return ['This report is incomplete: its end is missing.'];
  const notices = [];
  if (end.withoutBodies)
    notices.push(
      `The bodies of ${plural(end.withoutBodies, 'flow')} were left out to limit the length of the report.`,
    );
  if (end.omitted)
    notices.push(
      `${plural(end.omitted, 'further flow')} of ${count(end.flows)} did not fit into the report. They are not counted below.`,
    );
  if (end.flows === 0) notices.push('There are no flows.');
  return notices;
}

document
  .getElementById('notices')
  .replaceChildren(...listNotices().map((text) => element('p', { class: 'notice' }, text)));
search.addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(show, 100);
});
document.getElementById('reset').addEventListener('click', () => setSearch(''));
document.getElementById('help-button').addEventListener('click', () => help.showModal());
listenForKeys(search, grid, actions);
new ResizeObserver(() => {
  redraw();
  table.render();
}).observe(document.getElementById('main'));
show();
