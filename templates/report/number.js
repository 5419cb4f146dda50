// Formats numbers.

const COUNT = new Intl.NumberFormat('en');

export function count(number) {
  return COUNT.format(number);
}

/** A number and its noun: `1 flow`, `2 flows`. */
export function plural(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** A duration in ms, with three digits. */
export function duration(ms) {
  if (ms === undefined || ms === null) return '';
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${digits(ms)} ms`;
  if (ms < 60_000) return `${digits(ms / 1000)} s`;
  if (ms < 3_600_000) return `${digits(ms / 60_000)} min`;
  return `${count(Number((ms / 3_600_000).toPrecision(3)))} h`;
}

export function bytes(number) {
  if (number < 1000) return `${number} B`;
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'];
  const index = Math.min(Math.floor(Math.log10(number) / 3), units.length) - 1;
  return `${digits(number / 1000 ** (index + 1))} ${units[index]}`;
}

function digits(number) {
  return number.toFixed(number < 9.995 ? 2 : number < 99.95 ? 1 : 0);
}

export function percent(part) {
  if (part === 0) return '0%';
  return part < 0.001 ? '<0.1%' : `${(part * 100).toFixed(part < 0.1 ? 1 : 0)}%`;
}

/** Seconds since 1970 as date and time in the reader's time zone. */
export function dateTime(seconds) {
  return `${formatDate(seconds)} ${timeOfDay(seconds)}`;
}

function formatDate(seconds) {
  const date = new Date(seconds * 1000);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(two).join('-');
}

/** `17:04:05.123` */
export function timeOfDay(seconds) {
  const date = new Date(seconds * 1000);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

function two(number) {
  return String(number).padStart(2, '0');
}
