import { decodeBody } from './body.ts';
import { parseMediaType } from './content-type.ts';
import type { Flow } from './flow.ts';
import { findContentType } from './headers.ts';
import type { Request, Response } from './http-message.ts';

/** The types at each place of a JSON body: `$.items[].id` has `number`. */
export type Shape = Map<string, Set<string>>;

/** Limits, since a body can be anything. What is beyond them is ignored. */
const MAX_BODY = 1024 * 1024;
const MAX_DEPTH = 20;
const MAX_PLACES = 2000;

/** Adds the JSON bodies of a flow. Each place starts with its message: `response 200 $.items`. */
export function addShapes(shape: Shape, { request, response }: Flow): void {
  if (request) addBody(shape, 'request', request);
  if (response) addBody(shape, `response ${response.status}`, response);
}

function addBody(shape: Shape, name: string, message: Request | Response): void {
  if (!/^application\/(.+\+)?json$/.test(parseMediaType(findContentType(message.headers)))) return;
  const body = decodeBody(message);
  if (body.length === 0 || body.length > MAX_BODY) return;
  try {
    addValue(shape, `${name} $`, JSON.parse(body.toString('utf8')), 0);
  } catch {
    add(shape, `${name} $`, 'not JSON');
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
