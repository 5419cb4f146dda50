import { JsonError } from '../util/json-object.ts';
import { encodeText } from './import-text.ts';
import type { LooseObject } from './loose-object.ts';

/** The default ports of the URL schemes that use the network. */
const PORTS: Record<string, number> = { 'http:': 80, 'https:': 443, 'ws:': 80, 'wss:': 443 };

/** Where a request was sent. */
export interface Target {
  isEncrypted: boolean;
  isWebSocket: boolean;
  host: string;
  port: number;
  /** The host, and the port unless it is the scheme's default. */
  authority: string;
  path: Buffer;
}

/**
 * Parses the URL of a HAR request. The path stays as it was sent: a parsed URL has no `..` and no `ä`.
 * @returns undefined for URLs that do not use the network: `data:`, `blob:`, browser extensions.
 * @throws JsonError if it is not a URL.
 */
export function parseTarget(request: LooseObject): Target | undefined {
  const text = request.text('url') ?? '';
  const authority = request.text('method') === 'CONNECT' ? AUTHORITY.exec(text)?.[0] : undefined;
  if (authority !== undefined) return toTunnel(authority);
  if (!URL.canParse(text)) throw new JsonError('request.url is not a URL');
  const { protocol, hostname, host, port, pathname, search } = new URL(text);
  const defaultPort = Object.hasOwn(PORTS, protocol) ? PORTS[protocol] : undefined;
  if (defaultPort === undefined) return undefined;
  const sent = /^\w+:\/\/[^/?#\\]*([^#]*)/.exec(text)?.[1] ?? pathname + search;
  const path = sent.replace(/[\p{Cc} ]/gu, encodeURIComponent);
  return {
    isEncrypted: /^(https|wss):$/.test(protocol),
    isWebSocket: protocol.startsWith('ws'),
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? defaultPort : Number(port),
    authority: host,
    path: encodeText(path.startsWith('/') ? path : `/${path}`),
  };
}

/** The target of CONNECT, https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6. */
const AUTHORITY = /^[^/?#@\s]+:\d{1,5}$/;

function toTunnel(authority: string): Target {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(authority) ?? [];
  return {
    isEncrypted: false,
    isWebSocket: false,
    host: host.replace(/^\[|\]$/g, ''),
    port: Number(port),
    authority,
    path: Buffer.alloc(0),
  };
}
