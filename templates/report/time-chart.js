// The chart of flows over time.

import { BOTTOM, frame, HEIGHT, logScale, shortDuration } from './chart.js';
import { svg } from './element.js';
import { CLASSES } from './flow.js';
import { count, duration, plural } from './number.js';

const BARS_HEIGHT = 48;
const LEFT = 46;

/** Flows as dots by start and latency, and below them bars with the count by class. Dragging selects a time. */
export function timeChart(width, flows, { first, last, latencies }, choose) {
  const span = Math.max(last - first, 1e-3);
  const [left, right] = [LEFT, width - 8];
  const x = (started) => left + ((started - first) / span) * (right - left);
  const floor = HEIGHT - BOTTOM - BARS_HEIGHT - 8;
  const scale = logScale(latencies, floor, 6);
  const grid = scale.ticks.map((ms) => {
    const y = scale.at(ms);
    const text = svg('text', { x: left - 6, y: y + 3.5, 'text-anchor': 'end' }, shortDuration(ms));
    return svg('g', { class: 'tick' }, svg('line', { x1: left, x2: right, y1: y, y2: y }), text);
  });
  const label = `${plural(flows.length, 'flow')} in ${duration(span * 1000)}, by their start and latency`;
  const chart = frame(width, label, [
    ...grid,
    ...timeTicks(span, left, right),
    ...dots(flows, x, scale.at),
    ...bars(flows, { first, span, left, right }),
  ]);
  const offset = first - (flows[0] ? flows[0].started - flows[0].at : 0);
  selectable(chart, left, right, (from, to) => {
    const at = (part) => (offset + part * span).toFixed(3);
    choose('at', `${at(from)}..${at(to)}`);
  });
  return chart;
}

/** One path per class. A line without length and with round ends is a dot. */
function dots(flows, x, y) {
  return CLASSES.map((name) => {
    const shown = flows.filter(
      (flow) => flow.class === name && flow.latency !== undefined && flow.type !== 'websocket',
    );
    const path = shown
      .map(({ started, latency }) => `M${x(started).toFixed(1)} ${y(latency).toFixed(1)}h0`)
      .join('');
    return svg('path', { class: `dots stroke-${name}`, d: path });
  });
}

function bars(flows, { first, span, left, right }) {
  const number = Math.max(4, Math.floor((right - left) / 8));
  const bins = Array.from({ length: number }, () => new Map());
  for (const { started, class: name } of flows) {
    const bin = bins[Math.min(number - 1, Math.floor(((started - first) / span) * number))];
    bin.set(name, (bin.get(name) ?? 0) + 1);
  }
  const totals = bins.map((bin) => [...bin.values()].reduce((sum, count) => sum + count, 0));
  const top = Math.max(1, ...totals);
  const width = (right - left) / number;
  return bins.flatMap((bin, index) => {
    let y = HEIGHT - BOTTOM;
    return CLASSES.filter((name) => bin.has(name)).map((name) => {
      const height = Math.max(1, (bin.get(name) / top) * BARS_HEIGHT);
      y -= height;
      return svg('rect', {
        class: `fill-${name}`,
        x: left + index * width + 0.5,
        y,
        width: width - 1,
        height,
      });
    });
  });
}

/** Possible steps between the marks of the time axis, in seconds. */
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500]
  .map((ms) => ms / 1000)
  .concat(
    [1, 2, 5, 10, 15, 30],
    [1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60),
  )
  .concat([1, 2, 4, 8, 12, 24, 48, 168, 720, 8760].map((hours) => hours * 3600));

/** The units of the time axis, in seconds. */
const UNITS = [
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
  [0.001, 'ms'],
];

function timeTicks(span, left, right) {
  const most = (right - left) / 80;
  const step = STEPS.find((step) => span / step <= most) ?? span / most;
  const [size, unit] = UNITS.find(([size]) => step >= size) ?? UNITS[3];
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, index) => {
    const x = left + ((index * step) / span) * (right - left);
    const text = index === 0 ? '0' : `+${count(Math.round((index * step) / size))} ${unit}`;
    const anchor = x > right - 24 ? 'end' : 'middle';
    const mark = svg('line', { x1: x, x2: x, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM + 4 });
    return svg('g', { class: 'tick' }, mark, svg('text', { x, y: HEIGHT - 6, 'text-anchor': anchor }, text));
  });
}

/** Lets the user select a part of the width with the pointer. The result is in parts of the width, 0 to 1. */
function selectable(chart, left, right, choose) {
  const selection = svg('rect', { class: 'selection', y: 0, height: HEIGHT - BOTTOM, width: 0 });
  chart.append(selection);
  let from;
  const toPart = ({ clientX }) => {
    const x = clientX - chart.getBoundingClientRect().left;
    return Math.min(1, Math.max(0, (x - left) / (right - left)));
  };
  chart.addEventListener('pointerdown', (event) => {
    from = toPart(event);
    chart.setPointerCapture(event.pointerId);
  });
  chart.addEventListener('pointermove', (event) => {
    if (from === undefined) return;
    const to = toPart(event);
    selection.setAttribute('x', left + Math.min(from, to) * (right - left));
    selection.setAttribute('width', Math.abs(to - from) * (right - left));
  });
  chart.addEventListener('pointerup', (event) => {
    const to = toPart(event);
    if (from !== undefined && Math.abs(to - from) > 0.005) choose(Math.min(from, to), Math.max(from, to));
    from = undefined;
    selection.setAttribute('width', 0);
  });
}
