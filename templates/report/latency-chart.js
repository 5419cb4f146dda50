// The chart of the distribution of latencies.

import { BOTTOM, frame, HEIGHT, logScale, shortDuration } from './chart.js';
import { svg } from './element.js';
import { duration, plural } from './number.js';

/** A histogram of sorted latencies over a logarithmic axis. */
export function latencyChart(width, { latencies, p50, p95, p99 }, choose) {
  const scale = logScale(latencies, 14, width - 18);
  const bins = new Array(Math.max(8, Math.min(60, Math.floor(width / 9)))).fill(0);
  const size = (scale.end - scale.start) / bins.length;
  for (const ms of latencies)
    bins[Math.min(bins.length - 1, Math.floor((scale.at(ms) - scale.start) / size))]++;
  const top = Math.max(1, ...bins);
  const floor = HEIGHT - BOTTOM;
  const bars = bins.map((number, index) => {
    const height = number && Math.max(2, (number / top) * (floor - 26));
    const [from, to] = [
      scale.value(scale.start + index * size),
      scale.value(scale.start + (index + 1) * size),
    ];
    const title = `${duration(from)} to ${duration(to)}: ${plural(number, 'flow')}`;
    const box = { x: scale.start + index * size + 0.5, y: floor - height, width: size - 1, height, rx: 1.5 };
    const target = { x: box.x, y: 0, width: size, height: floor, class: 'target' };
    const range = `${Number(from.toPrecision(6))}..${Number(to.toPrecision(6))}`;
    return svg(
      'g',
      { onclick: () => choose('ms', range) },
      svg('title', {}, title),
      svg('rect', target),
      svg('rect', { ...box, class: 'bar-fill' }),
    );
  });
  const lines = [
    ['p50', p50],
    ['p95', p95],
    ['p99', p99],
  ].map(([name, ms], index) => quantileLine(scale.at(ms), index, name));
  const label = `Latencies: p50 ${duration(p50)}, p95 ${duration(p95)}, p99 ${duration(p99)}`;
  return frame(width, label, [...logTicks(scale, floor), ...bars, ...lines]);
}

function quantileLine(x, index, name) {
  const y = 10 + index * 11;
  const text = svg('text', { x: x - 4, y, 'text-anchor': 'end' }, name);
  return svg('g', { class: 'quantile' }, svg('line', { x1: x, x2: x, y1: y - 8, y2: HEIGHT - BOTTOM }), text);
}

function logTicks(scale, floor) {
  return scale.ticks.map((ms) => {
    const x = scale.at(ms);
    const line = svg('line', { x1: x, x2: x, y1: 26, y2: floor });
    return svg(
      'g',
      { class: 'tick' },
      line,
      svg('text', { x, y: HEIGHT - 6, 'text-anchor': 'middle' }, shortDuration(ms)),
    );
  });
}
