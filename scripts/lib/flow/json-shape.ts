import { decodeBody, findMediaType } from './body.ts';
import type { Flow, Headers } from './flow.ts';

/** The types that stand at each place in some JSON: `$.items[].id` to `number`. */
export type Shape = Map<string, Set<string>>;

/** What is beyond is not looked at: a body is whatever someone sent. */
const MAX_BODY = 1024 * 1024;
const MAX_DEPTH = 20;
const MAX_PLACES = 2000;

/** Adds what is in the JSON bodies of a flow, each place with the message's name before it. */
export function addShapes(shape: Shape, { request, response }: Flow): void {
  if (request) addBody(shape, 'request', request);
  if (response) addBody(shape, `response ${response.status}`, response);
}

function addBody(
  shape: Shape,
  name: string,
  message: { content: Buffer | undefined; headers: Headers },
): void {
  if (!/^application\/(.+\+)?json$/.test(findMediaType(message.headers))) return;
  const body = decodeBody(message);
  if (body.length === 0 || body.length > MAX_BODY) return;
  try {
    addValue(shape, `${name} $`, JSON.parse(body.toString('utf8')), 0);
  } catch {
    add(shape, `${name} $`, 'no JSON');
  }
}

function addValue(shape: Shape, place: string, value: unknown, depth: number): void {
  add(shape, place, findType(value));
  if (depth === MAX_DEPTH || typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) for (const item of value) addValue(shape, `${place}[]`, item, depth + 1);
  else
    for (const [key, item] of Object.entries(value))
      addValue(shape, `${place}.${key.slice(0, 100)}`, item, depth + 1);
}

function findType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function add(shape: Shape, place: string, type: string): void {
  const types = shape.get(place);
  if (types) types.add(type);
  else if (shape.size < MAX_PLACES) shape.set(place, new Set([type]));
}
