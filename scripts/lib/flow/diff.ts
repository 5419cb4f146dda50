import type { Flow } from './flow.ts';
import { addShapes, type Shape } from './json-shape.ts';
import { type Endpoint, Summary } from './summary.ts';

/** One thing in which two captures differ. */
export interface Difference {
  endpoint: string;
  kind: 'new' | 'gone' | 'status' | 'latency' | 'shape';
  /** In words: what was, and what is. */
  what: string;
}

/** A median that is this many times the other, and this many ms from it, is another: less is how networks are. */
const LATENCY_RATIO = 2;
const LATENCY_MS = 20;
/** A median of fewer says little. */
const LATENCY_COUNT = 5;

/** A capture, as it is compared with another. */
export class Comparable {
  readonly summary = new Summary();
  readonly shapes = new Map<Endpoint, Shape>();

  add(flow: Flow): void {
    const endpoint = this.summary.add(flow);
    const shape = this.shapes.get(endpoint) ?? new Map();
    this.shapes.set(endpoint, shape);
    addShapes(shape, flow);
  }
}

/** In which endpoints, statuses, latencies and JSON bodies `after` differs from `before`. */
export function compare(before: Comparable, after: Comparable): Difference[] {
  const differences: Difference[] = [];
  for (const was of before.summary.sorted()) {
    const is = after.summary.endpoints.get(was.name);
    if (!is) {
      differences.push({ endpoint: was.name, kind: 'gone', what: flows(was) });
      continue;
    }
    const add = (kind: Difference['kind'], whats: string[]) =>
      differences.push(...whats.map((what) => ({ endpoint: was.name, kind, what })));
    add('status', statusChanges(was, is));
    add('latency', latencyChanges(was, is));
    add('shape', shapeChanges(before.shapes.get(was), after.shapes.get(is)));
  }
  for (const is of after.summary.sorted()) {
    if (!before.summary.endpoints.has(is.name))
      differences.push({ endpoint: is.name, kind: 'new', what: flows(is) });
  }
  return differences;
}

function flows({ count, statuses }: Endpoint): string {
  return `${count} ${count === 1 ? 'flow' : 'flows'}, status ${[...statuses.keys()].sort().join(', ')}`;
}

function statusChanges(was: Endpoint, is: Endpoint): string[] {
  const list = ({ statuses, count }: Endpoint) =>
    [...statuses.entries()]
      .sort()
      .map(([status, of]) => `${status} (${of} of ${count})`)
      .join(', ');
  const same =
    was.statuses.size === is.statuses.size && [...was.statuses.keys()].every((key) => is.statuses.has(key));
  return same ? [] : [`${list(was)} → ${list(is)}`];
}

function latencyChanges(was: Endpoint, is: Endpoint): string[] {
  if (Math.min(was.latency.count, is.latency.count) < LATENCY_COUNT) return [];
  const [a, b] = [was.latency.quantile(0.5) ?? 0, is.latency.quantile(0.5) ?? 0];
  if (Math.abs(a - b) < LATENCY_MS || Math.max(a, b) < LATENCY_RATIO * Math.min(a, b)) return [];
  return [`median ${Math.round(a)} ms → ${Math.round(b)} ms`];
}

/** Changes in messages that both captures have: where one has no 404, its body has no shape either. */
function shapeChanges(was: Shape = new Map(), is: Shape = new Map()): string[] {
  const messages = (shape: Shape) => new Set([...shape.keys()].map(findMessage));
  const both = [...messages(was)].filter((message) => messages(is).has(message));
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((place) => both.includes(findMessage(place)))
    .flatMap((place) => {
      const [a, b] = [typesAt(was, place), typesAt(is, place)];
      return a === b ? [] : [`${place}: ${a} → ${b}`];
    });
}

function findMessage(place: string): string {
  return place.slice(0, place.indexOf(' $'));
}

function typesAt(shape: Shape, place: string): string {
  const types = shape.get(place);
  return types ? [...types].sort().join(' or ') : 'absent';
}
