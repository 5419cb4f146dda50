// The flows of the page: read from its data, with what is worked out once.

/** What a flow is shown as: by its status, else by its kind. */
export const CLASSES = ['2xx', '3xx', '4xx', '5xx', 'error', 'other'];

const DNS_CODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

/**
 * Takes the data out of the page.
 * @returns the flows in the order of their start, and what the report says of its end: undefined when it has none,
 *   because it was cut off.
 */
export function takeFlows() {
  const flows = [];
  let whole = true;
  for (const line of linesOf('flows')) {
    try {
      flows.push(flowOf(JSON.parse(line)));
    } catch {
      whole = false;
    }
  }
  flows.sort((a, b) => a.started - b.started);
  const first = flows[0]?.started ?? 0;
  flows.forEach((flow, index) => {
    flow.number = index + 1;
    flow.at = flow.started - first;
  });
  const [end] = linesOf('end');
  return { flows, end: end && whole ? JSON.parse(end) : undefined };
}

function* linesOf(name) {
  for (const script of document.querySelectorAll(`script.${name}`)) {
    script.remove();
    for (const line of script.textContent.split('\n')) if (line) yield line;
  }
}

function flowOf(data) {
  const { request, response, dns, type } = data;
  const status = statusOf(data);
  return {
    ...data,
    latency: data.latency ?? undefined,
    status,
    class: classOf(data),
    failed: Boolean(data.error) || response?.status >= 500,
    method: request?.method ?? type.toUpperCase(),
    host: request?.host ?? data.server.address ?? '',
    path:
      request?.path ?? dns?.request.questions.map(({ name }) => name).join(', ') ?? data.server.address ?? '',
    media: response?.media ?? '',
    size: data.sent + data.received,
    // In lower case, as searches are.
    words: [request?.method ?? type, type, status, request?.host, data.server.address, request?.path]
      .concat(
        dns?.request.questions.map(({ name }) => name),
        response?.reason,
        response?.media,
      )
      .concat(data.error, data.comment, data.client.address)
      .filter(Boolean)
      .join(' ')
      .toLowerCase(),
  };
}

function statusOf({ response, dns, error }) {
  if (response) return String(response.status);
  if (dns?.response) return DNS_CODES[dns.response.responseCode] ?? `RCODE ${dns.response.responseCode}`;
  return error ? 'error' : '';
}

function classOf({ response, error }) {
  if (error) return 'error';
  const digit = Math.floor((response?.status ?? 0) / 100);
  return digit >= 2 && digit <= 5 ? `${digit}xx` : 'other';
}
