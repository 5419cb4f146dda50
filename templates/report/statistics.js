// What many flows have in common.

/** The value that a part of the sorted numbers is not above, by nearest rank. */
export function quantile(sorted, part) {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
}

export function statisticsOf(flows) {
  const latencies = latenciesOf(flows);
  const last = flows.reduce((latest, { started }) => Math.max(latest, started), 0);
  const first = flows.reduce((earliest, { started }) => Math.min(earliest, started), last);
  return {
    count: flows.length,
    failed: flows.filter(({ failed }) => failed).length,
    sent: flows.reduce((sum, { sent }) => sum + sent, 0),
    received: flows.reduce((sum, { received }) => sum + received, 0),
    first,
    last,
    latencies,
    ...quantilesOf(latencies),
  };
}

/** In ms, sorted; a WebSocket's is how long it was open, and says nothing of how fast it answers. */
function latenciesOf(flows) {
  return flows
    .filter(({ latency, type }) => latency !== undefined && type !== 'websocket')
    .map(({ latency }) => latency)
    .sort((a, b) => a - b);
}

function quantilesOf(latencies) {
  return { p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95), p99: quantile(latencies, 0.99) };
}

/** Flows by their endpoint, those with most flows first. */
export function endpointsOf(flows) {
  const endpoints = Map.groupBy(flows, ({ endpoint }) => endpoint);
  return [...endpoints]
    .map(([name, flows]) => ({
      name,
      count: flows.length,
      failed: flows.filter(({ failed }) => failed).length,
      ...quantilesOf(latenciesOf(flows)),
    }))
    .sort((a, b) => b.count - a.count);
}

/** How many flows there are of each status, most first. */
export function statusesOf(flows) {
  const statuses = new Map();
  for (const flow of flows) {
    const name = flow.status || flow.type.toUpperCase();
    const status = statuses.get(name) ?? { name, class: flow.class, count: 0 };
    status.count++;
    statuses.set(name, status);
  }
  return [...statuses.values()].sort((a, b) => b.count - a.count);
}
