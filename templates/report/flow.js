// Reads the flows from the page, and adds what is calculated once.

/** The classes of flows: by status, or otherwise by kind. */
export const CLASSES = ['2xx', '3xx', '4xx', '5xx', 'error', 'other'];

const DNS_CODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

/**
 * Reads the data and removes it from the page.
 * @returns the flows in the order of their start, and the counts at the end of the report; undefined if the file was cut
 *   off.
 */
export function takeFlows() {
  const flows = [];
  let whole = true;
  for (const line of readLines('flows')) {
    try {
      flows.push(toFlow(JSON.parse(line)));
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
  const [end] = readLines('end');
  return { flows, end: end && whole ? JSON.parse(end) : undefined };
}

function* readLines(name) {
  for (const script of document.querySelectorAll(`script.${name}`)) {
    script.remove();
    for (const line of script.textContent.split('\n')) if (line) yield line;
  }
}

function toFlow(data) {
  const { request, response, dns, type } = data;
  const status = formatStatus(data);
  return {
    ...data,
    latency: data.latency ?? undefined,
    status,
    class: classify(data),
    failed: Boolean(data.error) || response?.status >= 500,
    method: request?.method ?? type.toUpperCase(),
    host: request?.host ?? data.server.address ?? '',
    path:
      request?.path ?? dns?.request.questions.map(({ name }) => name).join(', ') ?? data.server.address ?? '',
    media: response?.media ?? '',
    size: data.sent + data.received,
    // In lower case, since searches are.
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

function formatStatus({ response, dns, error }) {
  if (response) return String(response.status);
  if (dns?.response) return DNS_CODES[dns.response.responseCode] ?? `RCODE ${dns.response.responseCode}`;
  return error ? 'error' : '';
}

function classify({ response, error }) {
  if (error) return 'error';
  const digit = Math.floor((response?.status ?? 0) / 100);
  return digit >= 2 && digit <= 5 ? `${digit}xx` : 'other';
}
