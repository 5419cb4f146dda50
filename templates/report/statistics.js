// Statistics of many flows.

/** A quantile of sorted numbers by nearest rank; `part` is 0 to 1. */
export function quantile(sorted, part) {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
}

export function calculateStatistics(flows) {
  const latencies = sortLatencies(flows);
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
    ...calculateQuantiles(latencies),
  };
}

/** The sorted latencies in ms. WebSockets are left out: theirs would be the time they were open. */
function sortLatencies(flows) {
  return flows
    .filter(({ latency, type }) => latency !== undefined && type !== 'websocket')
    .map(({ latency }) => latency)
    .sort((a, b) => a - b);
}

function calculateQuantiles(latencies) {
  return { p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95), p99: quantile(latencies, 0.99) };
}

/** Counts flows by endpoint; the endpoint with the most flows is first. */
export function countEndpoints(flows) {
  const endpoints = Map.groupBy(flows, ({ endpoint }) => endpoint);
  return [...endpoints]
    .map(([name, flows]) => ({
      name,
      count: flows.length,
      failed: flows.filter(({ failed }) => failed).length,
      ...calculateQuantiles(sortLatencies(flows)),
    }))
    .sort((a, b) => b.count - a.count);
}

/** Counts flows by status; the status with the most flows is first. */
export function countStatuses(flows) {
  const statuses = new Map();
  for (const flow of flows) {
    const name = flow.status || flow.type.toUpperCase();
    const status = statuses.get(name) ?? { name, class: flow.class, count: 0 };
    status.count++;
    statuses.set(name, status);
  }
  return [...statuses.values()].sort((a, b) => b.count - a.count);
}
