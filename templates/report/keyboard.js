// Keyboard shortcuts. They do not apply while text is typed.

/** @param actions of the keys, by name. */
export function listenForKeys(search, grid, actions) {
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    const action = event.target === search ? searchAction(event.key) : pageAction(event, grid);
    if (!action) return;
    event.preventDefault();
    actions[action]();
  });
}

function searchAction(key) {
  return { Enter: 'leaveSearch', ArrowDown: 'leaveSearch', Escape: 'escapeSearch' }[key];
}

/** Keys outside of the search. */
const KEYS = new Map([
  ['/', 'search'],
  ['?', 'help'],
  ['j', 'next'],
  ['k', 'previous'],
  ['g', 'first'],
  ['G', 'last'],
  ['Escape', 'escape'],
]);
/** Keys for the table, unless they scroll something else or press a button. */
const GRID_KEYS = new Map([
  ['ArrowDown', 'next'],
  ['ArrowUp', 'previous'],
  ['ArrowLeft', 'sortPrevious'],
  ['ArrowRight', 'sortNext'],
  ['r', 'sortReverse'],
  ['PageDown', 'nextPage'],
  ['PageUp', 'previousPage'],
  ['Home', 'first'],
  ['End', 'last'],
  ['Enter', 'open'],
  [' ', 'open'],
]);

function pageAction({ key, target }, grid) {
  if (target === grid || (target === document.body && key === 'Enter'))
    return GRID_KEYS.get(key) ?? KEYS.get(key);
  return KEYS.get(key);
}
