import type { Headers } from './http-message.ts';

/** All values of a header, in order. @param name in lower case; the case of the header does not matter. */
export function listHeader(headers: Headers, name: string): string[] {
  return headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

/** The value of a header. Several values are joined by `, `, as RFC 9110 does. @param name in lower case. */
export function findHeader(headers: Headers, name: string): string | undefined {
  const values = listHeader(headers, name);
  return values.length > 0 ? values.join(', ') : undefined;
}

/** The Content-Type of a message; empty if there is none. */
export function findContentType(headers: Headers): string {
  return findHeader(headers, 'content-type') ?? '';
}
