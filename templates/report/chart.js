// Parts that all charts use. Lengths are in pixels.

import { svg } from './element.js';

export const HEIGHT = 190;
export const BOTTOM = 22;

/** A power of ten as a label of an axis. */
export function shortDuration(ms) {
  if (ms < 1) return `${Math.round(ms * 1000)} \u00b5s`;
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
}

/** A logarithmic scale from the power of ten below the smallest value to the one above the largest. 0 is at its start. */
export function logScale(numbers, start, end) {
  const least = numbers.find((number) => number > 0) ?? 1;
  const most = Math.max(numbers.at(-1) ?? 1, least);
  const low = Math.max(-3, Math.floor(Math.log10(least)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(most)));
  const step = Math.ceil((high - low) / 8);
  const ticks = [];
  for (let power = low; power <= high; power += step) ticks.push(Number(`1e${power}`));
  const clamp = (part) => Math.min(1, Math.max(0, part));
  return {
    start,
    end,
    ticks,
    at: (number) => start + clamp((Math.log10(Math.max(number, 1e-9)) - low) / (high - low)) * (end - start),
    value: (x) => 10 ** (low + ((x - start) / (end - start)) * (high - low)),
  };
}

export function frame(width, label, children) {
  const box = { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: 'img', 'aria-label': label };
  return svg('svg', box, ...children);
}
