import { isIPv4, isIPv6 } from 'node:net';
import type { Flow } from './flow.ts';
import type { Request } from './http-message.ts';
import type { Dict } from './tnetstring.ts';
import { findHost } from './url.ts';

/** Labels of RFC 1035, and underscores, which real names have. */
const NAME = /^(?=.{1,255}$)(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*\.?$/i;
/** A host that ends in a number is an IPv4 address, https://url.spec.whatwg.org/#ends-in-a-number-checker. */
const NUMERIC = /(^|\.)(\d+|0x[0-9a-f]*)\.?$/i;

/**
 * The scheme, host and port that the client asked for, as in a URL. A host that is not a valid one is replaced by the
 * host to which the proxy sent the request: in a URL or a command it would be read as a path, a password or an option.
 */
export function formatOrigin(request: Request): string {
  const scheme = request.scheme === 'https' ? 'https' : 'http';
  const asked = findHost(request);
  if (isHost(asked)) return `${scheme}://${asked}`;
  const sentTo = findHost({ ...request, authority: '', headers: [] });
  return `${scheme}://${isHost(sentTo) ? sentTo : 'invalid'}`;
}

function isHost(text: string): boolean {
  const [, address, name = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const isPort = port === undefined || (Number(port) > 0 && Number(port) < 65536);
  if (!isPort) return false;
  if (address !== undefined) return isIPv6(address) && !address.includes('%');
  return NUMERIC.test(name) ? isIPv4(name) : NAME.test(name);
}

/** A part of an http flow's request, as the bytes that were sent. */
export function readRequestBytes(flow: Flow, part: 'method' | 'path' | 'authority'): Buffer {
  return readRequestState(flow).get(part) as Buffer;
}

/** The headers of an http flow's request, as the bytes that were sent. */
export function readHeaderBytes(flow: Flow): [name: Buffer, value: Buffer][] {
  return readRequestState(flow).get('headers') as [Buffer, Buffer][];
}

function readRequestState(flow: Flow): Dict {
  return flow.state.get('request') as Dict;
}
