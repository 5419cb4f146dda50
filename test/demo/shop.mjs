// The demo's shop, which travels in a ConfigMap: `web` sells, and asks `orders` and `stock`; `visitors` come to
// `web`; `billing` is a cron-like job that reports on `orders`. It finds the others by the variables that
// Kubernetes sets for each Service, so that it needs no DNS.
import { createServer, request } from 'node:http';
import { PatientAgent } from './patient-agent.mjs';

/** Some of it goes wrong, and some is slow, as in any shop. The answers' header says that they are the shop's own. */
const OWN = { 'content-type': 'application/json', 'x-shop': 'yes' };

const roles = {
  web: () => serve(sell),
  orders: () => serve(takeOrders),
  stock: () => serve(countStock),
  visitors: () => every(250, visit),
  billing: () => every(2000, bill),
};

// -- the Services

async function sell({ method, path, body }) {
  const [, page, id] = path.split('/');
  if (page === 'checkout') return await call('orders', method, '/orders', body);
  if (page === 'orders') return await call('orders', 'GET', `/orders/${id}`);
  const [stock, last] = [
    await call('stock', 'GET', `/stock/${page}`),
    await call('orders', 'GET', '/orders?limit=3'),
  ];
  return { status: Math.max(stock.status, last.status), answer: { stock: stock.answer, last: last.answer } };
}

async function takeOrders({ method, path, body }) {
  await pause(2 + Math.random() * 10);
  if (path.startsWith('/report')) {
    await pause(500 + Math.random() * 500);
    return { status: 200, answer: { month: 'November', orders: 4711, euros: 98_765 } };
  }
  if (method === 'POST') {
    await pause(40 + Math.random() * 60);
    const { item } = JSON.parse(body);
    if (item === 'umbrella')
      return { status: 503, answer: { error: 'the payment provider does not answer' } };
    return { status: 201, answer: { id: 1000 + Math.floor(Math.random() * 99), item } };
  }
  const [, id] = /^\/orders\/(\d+)$/.exec(path) ?? [];
  if (!id) return { status: 200, answer: [1017, 1016, 1015].map((id) => ({ id, item: 'mittens' })) };
  if (Number(id) > 9000) return { status: 404, answer: { error: `there is no order ${id}` } };
  return { status: 200, answer: { id: Number(id), item: 'mittens', state: 'sent' } };
}

async function countStock({ path }) {
  return { status: 200, answer: { item: path.split('/').at(-1), left: 1 + Math.floor(Math.random() * 40) } };
}

// -- those who come

const WALK = [
  ['GET', '/mittens'],
  ['GET', '/orders/1017'],
  ['POST', '/checkout', { item: 'mittens', size: 'L' }],
  ['GET', '/scarf'],
  ['GET', '/orders/9999'],
  ['POST', '/checkout', { item: 'umbrella' }],
];

async function visit(turn) {
  const [method, path, body] = WALK[turn % WALK.length];
  await call('web', method, path, body && JSON.stringify(body));
}

async function bill() {
  await call('orders', 'GET', '/report?month=11');
}

// -- HTTP

let leaving = false;

/** A careful server: told to end it goes on while Kubernetes takes it out of its Service, then lets go. */
function serve(handle) {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { status, answer } =
      request.url === '/healthz'
        ? { status: 200 }
        : await handle({ method: request.method, path: request.url, body });
    response.writeHead(status, { ...OWN, ...(leaving && { connection: 'close' }) });
    response.end(JSON.stringify(answer));
  });
  server.listen(8080);
  process.on('SIGTERM', () => {
    leaving = true;
    setTimeout(() => server.close(), 4000);
    setTimeout(() => process.exit(), 5500);
  });
}

/** What this one asked of others: its last line in the log says it. */
const asked = { sent: 0, failed: [] };

/** A connection a request: none is held past a rollout. */
const agent = new PatientAgent({ keepAlive: false });

/** Asks another Service. What is not the shop's own answer is a failure, and no request is sent twice. */
function call(service, method, path, body) {
  const host = process.env[`${service.toUpperCase()}_SERVICE_HOST`];
  const headers = { host: service, 'content-type': 'application/json', 'user-agent': process.env.ROLE };
  asked.sent++;
  return new Promise((resolve) => {
    const fail = (why) => {
      asked.failed.push(`${new Date().toISOString()} ${method} ${service}${path}: ${why}`);
      resolve({ status: 502, answer: { error: why } });
    };
    const options = { host, port: 80, method, path, headers, agent, timeout: 10_000 };
    const outgoing = request(options, async (response) => {
      let text = '';
      try {
        for await (const chunk of response) text += chunk;
      } catch (error) {
        return fail(error.message);
      }
      if (!response.headers['x-shop']) return fail(`status ${response.statusCode}`);
      resolve({ status: response.statusCode, answer: JSON.parse(text || 'null') });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in 10 s')));
    outgoing.on('error', (error) => fail(error.message));
    outgoing.end(body);
  });
}

function every(ms, work) {
  let turn = 0;
  setInterval(() => work(turn++), ms);
  process.on('SIGTERM', () => process.exit());
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

roles[process.env.ROLE]();
setInterval(() => console.log(JSON.stringify(asked)), 500);
