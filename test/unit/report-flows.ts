import { gzipSync } from 'node:zlib';
import { type Flow, toFlow } from '../../scripts/lib/flow/flow.ts';
import type { Dict, Value } from '../../scripts/lib/flow/tnetstring.ts';

/** The time of the first flow, in seconds since 1970. */
const START = 1_780_000_000;

const dict = (fields: Record<string, Value>): Dict => new Map(Object.entries(fields));

/** The fields of an HTTP flow that a test sets; the others have defaults. */
export interface Http {
  method?: string;
  host?: string;
  path?: string;
  /** Explicitly undefined: there is no response. */
  status?: number | undefined;
  reason?: string;
  /** The start in seconds after START, and the latency in ms. */
  at?: number;
  ms?: number;
  requestHeaders?: Record<string, string>;
  responseHeaders?: Record<string, string>;
  requestBody?: string | Buffer;
  responseBody?: string | Buffer | null;
  error?: string;
  comment?: string;
  websocket?: { fromClient: boolean; content: string | Buffer; text?: boolean }[];
}

export function http(fields: Http): Flow {
  const { method = 'GET', host = 'shop.example', path = '/', at = 0, ms = 12 } = fields;
  const start = START + at;
  const end = start + ms / 1000;
  const headers = { host, 'user-agent': 'curl/8.5.0', accept: '*/*', ...fields.requestHeaders };
  const request = dict({
    ...message(headers, fields.requestBody ?? '', start, start + 0.0004),
    method: Buffer.from(method),
    scheme: Buffer.from('http'),
    authority: Buffer.from(''),
    path: Buffer.from(path),
    host: 'localhost',
    port: 8080,
  });
  const status = 'status' in fields ? fields.status : 200;
  const response =
    status === undefined
      ? null
      : dict({
          ...message(fields.responseHeaders ?? {}, fields.responseBody ?? '', end - ms / 5000, end),
          status_code: status,
          reason: Buffer.from(fields.reason ?? REASONS[status] ?? ''),
          ...(fields.responseBody === null && { content: null }),
        });
  const websocket = fields.websocket && webSocket(fields.websocket, start);
  return flow('http', start, { request, response, websocket: websocket ?? null }, fields);
}

export function tcp(at: number, messages: [fromClient: boolean, content: Buffer][]): Flow {
  const start = START + at;
  const list = messages.map(
    ([fromClient, content], index): Value => [fromClient, content, start + index / 100],
  );
  return flow('tcp', start, { messages: list }, {});
}

/** A query for the addresses of a name; `code` is the response code. */
export function dns(at: number, name: string, answers: string[], code = 0): Flow {
  const start = START + at;
  const records = answers.map(
    (address): Value =>
      dict({ name, type: 1, class_: 1, ttl: 30, data: Buffer.from(address.split('.').map(Number)) }),
  );
  const questions = [dict({ name, type: 1, class_: 1 })];
  const message = { id: 7, op_code: 0, questions };
  const request = dict({ ...message, response_code: 0, answers: [], timestamp: start });
  const response = dict({ ...message, response_code: code, answers: records, timestamp: start + 0.0021 });
  return flow('dns', start, { request, response }, {});
}

const REASONS: Record<number, string> = {
  101: 'Switching Protocols',
  200: 'OK',
  201: 'Created',
  304: 'Not Modified',
  404: 'Not Found',
  422: 'Unprocessable Content',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

function message(headers: Record<string, string>, body: string | Buffer, start: number, end: number) {
  return {
    http_version: Buffer.from('HTTP/1.1'),
    headers: Object.entries(headers).map(([name, value]): Value => [Buffer.from(name), Buffer.from(value)]),
    content: Buffer.from(body),
    trailers: null,
    timestamp_start: start,
    timestamp_end: end,
  };
}

function webSocket(messages: NonNullable<Http['websocket']>, start: number): Dict {
  return dict({
    messages: messages.map(({ fromClient, content, text = true }, index): Value => {
      return [text ? 1 : 2, fromClient, Buffer.from(content), start + 0.05 + index / 3, false, false];
    }),
    closed_by_client: true,
    close_code: 1000,
    close_reason: 'bye',
    timestamp_end: start + 2,
  });
}

function flow(
  type: string,
  start: number,
  parts: Record<string, Value>,
  { error, comment = '' }: Http,
): Flow {
  return toFlow(
    dict({
      version: 21,
      type,
      id: 'id',
      timestamp_created: start,
      error: error === undefined ? null : dict({ msg: error, timestamp: start + 1 }),
      client_conn: connection(true, ['10.42.0.17', 51514], ['10.42.0.9', 18080], start),
      server_conn: connection(false, ['127.0.0.1', 8080], ['localhost', 8080], start),
      marked: '',
      comment,
      is_replay: null,
      metadata: new Map(),
      intercepted: false,
      backup: null,
      ...(type === 'http' && { websocket: null }),
      ...parts,
    }),
  );
}

function connection(
  isClient: boolean,
  peer: [string, number],
  address: [string, number],
  start: number,
): Dict {
  const end = isClient
    ? { mitmcert: null, proxy_mode: 'reverse:http://localhost:8080' }
    : { address, via: null, timestamp_tcp_setup: start - 0.003 };
  return dict({
    id: 'connection',
    peername: peer,
    sockname: address,
    error: null,
    tls: false,
    tls_version: null,
    sni: null,
    alpn: null,
    alpn_offers: [],
    cipher: null,
    cipher_list: [],
    certificate_list: [],
    transport_protocol: 'tcp',
    timestamp_start: start - 0.004,
    timestamp_end: null,
    timestamp_tls_setup: null,
    ...end,
  });
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
const PRODUCTS = ['Kettle', 'Teapot', 'Caf\u00e9 cr\u00e8me', '\u8336\u7897', 'Mug'];

/** Traffic of a small shop, the same in every run: mostly fast and successful, with one bad minute. */
export function* shopFlows(count: number): Generator<Flow> {
  let seed = 7;
  const random = () => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  };
  for (let index = 0; index < count; index++) {
    const at = (index / count) * 300 + random();
    const bad = at > 170 && at < 215;
    const ms = 4 + 18 * random() ** 3 * (bad ? 60 : 4) * (random() < 0.04 ? 12 : 1);
    yield shopFlow(index, at, ms, random(), bad);
  }
}

function shopFlow(index: number, at: number, ms: number, dice: number, bad: boolean): Flow {
  const id = 4000 + ((index * 37) % 900);
  const when = { at, ms, requestHeaders: { 'x-request-id': `req-${id}-${index}` } };
  const product = {
    id,
    name: PRODUCTS[index % PRODUCTS.length],
    price: id / 100,
    inStock: id % 3 > 0,
    tags: [],
  };
  if (bad && dice < 0.12)
    return http({ ...when, path: `/orders/${id}`, status: undefined, error: 'connection closed by peer' });
  if (bad && dice < 0.4)
    return http({
      ...when,
      path: `/orders/${id}`,
      status: 503,
      responseHeaders: JSON_TYPE,
      responseBody: '{"error":"upstream timed out"}',
    });
  if (dice < 0.02)
    return http({
      ...when,
      path: `/products/${id}`,
      status: 404,
      responseHeaders: JSON_TYPE,
      responseBody: '{"error":"no such product"}',
    });
  if (dice < 0.03) return dns(at, 'payments.shop.svc.cluster.local', ['10.43.7.21']);
  if (dice < 0.035)
    return tcp(at, [
      [true, Buffer.from('PING\r\n')],
      [false, Buffer.from([0x2b, 0, 1, 2, 0xff, 0xfe])],
    ]);
  if (dice < 0.2) {
    const body = JSON.stringify({ customer: 17, lines: [{ product: id, count: 2 }], note: null });
    const answer = JSON.stringify({ id, state: 'accepted', total: 24.9 });
    return http({
      ...when,
      method: 'POST',
      path: '/orders',
      status: dice < 0.05 ? 422 : 201,
      requestHeaders: { ...when.requestHeaders, ...JSON_TYPE },
      requestBody: body,
      responseHeaders: { ...JSON_TYPE, location: `/orders/${id}` },
      responseBody: answer,
    });
  }
  if (dice < 0.3)
    return http({ ...when, path: '/static/app.css', status: 304, responseHeaders: { etag: '"5f"' } });
  if (dice < 0.38)
    return http({
      ...when,
      path: '/healthz',
      responseHeaders: { 'content-type': 'text/plain' },
      responseBody: 'ok\n',
    });
  if (dice < 0.6)
    return http({
      ...when,
      path: `/search?q=tea+pot&page=${id % 9}&sort=price`,
      responseHeaders: { ...JSON_TYPE, 'content-encoding': 'gzip', server: 'shop/1.4' },
      responseBody: gzipSync(
        JSON.stringify({ query: 'tea pot', results: [product, { ...product, id: id + 1 }], next: null }),
      ),
    });
  return http({
    ...when,
    path: `/products/${id}`,
    responseHeaders: JSON_TYPE,
    responseBody: JSON.stringify(product),
  });
}
