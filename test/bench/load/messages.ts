/** What the load sends and the app answers. Both have a known length, so that neither has to parse. */
const lines = (...text: string[]) => Buffer.from(text.join('\r\n'));

const BODY = JSON.stringify({ items: 'wool '.repeat(160) }).padEnd(1024);

export const REQUEST = lines(
  'GET /orders/1 HTTP/1.1',
  'Host: shop.example',
  'User-Agent: load/1.0',
  'Accept: application/json',
  '',
  '',
);

export const ANSWER = lines(
  'HTTP/1.1 200 OK',
  'Content-Type: application/json',
  `Content-Length: ${BODY.length}`,
  '',
  BODY,
);
