import type { Flow } from './flow.ts';
import { addShapes, type Shape } from './json-shape.ts';
import { type Endpoint, Summary } from './summary.ts';

/** One difference between two captures. */
export interface Difference {
  endpoint: string;
  kind: 'new' | 'gone' | 'status' | 'latency' | 'shape';
  /** For people: the old value and the new one. */
  what: string;
}

/** Medians differ if one is this many times the other, and they are this many ms apart. Networks vary by less. */
const LATENCY_RATIO = 2;
const LATENCY_MS = 20;
/** A median of fewer flows is not compared. */
const LATENCY_COUNT = 5;

/** What is compared of a capture. */
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

/** Lists the differences in endpoints, statuses, latencies and JSON bodies. */
export function compare(before: Comparable, after: Comparable): Difference[] {
  const common = before.summary.sorted().flatMap((was) => {
    const is = after.summary.endpoints.get(was.name);
    if (!is) return [{ endpoint: was.name, kind: 'gone' as const, what: flows(was) }];
    return compareEndpoint(was, is, before.shapes.get(was), after.shapes.get(is));
  });
  const added = after.summary.sorted().filter(({ name }) => !before.summary.endpoints.has(name));
  return [...common, ...added.map((is) => ({ endpoint: is.name, kind: 'new' as const, what: flows(is) }))];
}

function compareEndpoint(was: Endpoint, is: Endpoint, oldShape?: Shape, newShape?: Shape): Difference[] {
  const changes: [Difference['kind'], string[]][] = [
    ['status', statusChanges(was, is)],
    ['latency', latencyChanges(was, is)],
    ['shape', shapeChanges(oldShape, newShape)],
  ];
  return changes.flatMap(([kind, whats]) => whats.map((what) => ({ endpoint: was.name, kind, what })));
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

/** Compares messages that both captures have. Without a 404, there is no body of a 404 to compare. */
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
