import type { Difference } from '../scripts/lib/flow/diff.ts';
import type { Flow } from '../scripts/lib/flow/flow.ts';
import { measureLatency } from '../scripts/lib/flow/measure.ts';
import type { Endpoint } from '../scripts/lib/flow/summary.ts';
import { formatBytes } from '../scripts/lib/util/units.ts';
import type { Harvest, ServiceHarvest } from './harvest.ts';
import type { Failure } from './restore.ts';

/** The content of a job's summary. */
export interface Report {
  harvest: Harvest;
  failures: Failure[];
  /** The reasons why the job fails. */
  problems: string[];
  /** The differences from the baseline; undefined without a baseline. */
  differences: Difference[] | undefined;
  artifactUrl: string | undefined;
}

/** GitHub drops a summary of more than 1 MiB; other steps may need some of that. In bytes. */
const MAX_BYTES = 900 * 1024;
const MAX_ROWS = 30;
/** The length of a captured text, in characters. */
const MAX_TEXT = 200;

/**
 * Formats the summary for GitHub. Tables and captured texts are HTML, in which GitHub reads no Markdown. So no captured
 * text can become a link, an image or a mention.
 */
export function formatSummary({ harvest, failures, problems, differences, artifactUrl }: Report): string {
  const parts = [
    ...harvest.services.map(formatHeading),
    list([
      ...failures.map(({ service, why, repair }) =>
        repair === undefined
          ? `❌ ${text(service)} was restored before the end of the job: ${text(why)}`
          : `❌ ${text(service)} could not be restored: ${text(why)}. Repair it: ${code(repair)}`,
      ),
      ...problems.map((problem) => `❌ ${text(problem)}`),
      ...harvest.warnings.map((warning) => `⚠️ ${text(warning)}`),
    ]),
    formatFlowTable(`Flows that fail the job (${harvest.failing.count})`, harvest.failing.first),
    ...harvest.services.flatMap(formatSections),
    differences ? formatDifferences(differences) : '',
    artifactUrl ? `<p><a href="${text(artifactUrl)}">All flows</a>, as an artifact.</p>` : '',
  ];
  let summary = '';
  for (const part of parts.filter(Boolean)) {
    if (Buffer.byteLength(summary) + Buffer.byteLength(part) > MAX_BYTES) continue;
    summary += `${part}\n\n`;
  }
  return summary;
}

function formatHeading({ service, flows, errors }: ServiceHarvest): string {
  const wrong = errors === 0 ? 'no errors' : `<b>${errors} ${errors === 1 ? 'error' : 'errors'}</b>`;
  return `<h3>${code(service)}: ${flows} ${flows === 1 ? 'request' : 'requests'}, ${wrong}</h3>`;
}

function formatSections(own: ServiceHarvest): string[] {
  const { service, comparable, flows } = own;
  if (flows === 0) return [`<p>Nothing reached ${code(service)}.</p>`];
  const endpoints = comparable.summary.sorted();
  return [
    formatPie(own),
    details(`Endpoints of ${code(service)} (${endpoints.length})`, endpointTable(endpoints), true),
    formatFlowTable(`Errors of ${service} (${own.errors})`, own.firstErrors),
    details(`Slowest of ${code(service)}`, formatFlows(own.slowest), false),
  ];
}

/** A pie chart of the statuses; empty when all are the same. */
function formatPie({ comparable, service }: ServiceHarvest): string {
  const classes = new Map<string, number>();
  for (const [status, count] of comparable.summary.total.statuses) {
    const name = /^\d{3}$/.test(status) ? `${status[0]}xx` : status;
    classes.set(name, (classes.get(name) ?? 0) + count);
  }
  if (classes.size < 2) return '';
  const slices = [...classes].sort().map(([name, count]) => `    "${name}" : ${count}`);
  // The name of a Service has only letters, digits and hyphens.
  return ['```mermaid', `pie showData title Statuses of ${service}`, ...slices, '```'].join('\n');
}

function endpointTable(endpoints: Endpoint[]): string {
  const rows = endpoints.slice(0, MAX_ROWS).map(({ name, count, statuses, latency, received }) => [
    code(name),
    String(count),
    text(
      [...statuses]
        .sort()
        .map(([status, of]) => `${status} ×${of}`)
        .join(', '),
    ),
    ...[0.5, 0.95, 0.99].map((part) => formatLatency(latency.quantile(part))),
    formatBytes(received),
  ]);
  const more = endpoints.length > MAX_ROWS ? `<p>And ${endpoints.length - MAX_ROWS} more.</p>` : '';
  return table(['Endpoint', 'Count', 'Statuses', 'p50', 'p95', 'p99', 'Received'], rows) + more;
}

function formatFlowTable(title: string, flows: Flow[]): string {
  return flows.length === 0 ? '' : details(text(title), formatFlows(flows), true);
}

function formatFlows(flows: Flow[]): string {
  const rows = flows.map((flow) => [
    new Date(flow.created * 1000).toISOString().slice(11, 23),
    code(formatRequest(flow)),
    text(formatStatus(flow)),
    formatLatency(measureLatency(flow)),
  ]);
  return table(['Time', 'Request', 'Answer', 'Took'], rows);
}

function formatDifferences(differences: Difference[]): string {
  if (differences.length === 0) return '<p>No differences from the baseline.</p>';
  const rows = differences
    .slice(0, MAX_ROWS)
    .map(({ kind, endpoint, what }) => [kind, code(endpoint), text(what)]);
  const more = differences.length > MAX_ROWS ? `<p>And ${differences.length - MAX_ROWS} more.</p>` : '';
  return details(
    `Differences from the baseline (${differences.length})`,
    table(['Change', 'Endpoint', 'What'], rows) + more,
    true,
  );
}

/** A flow's request, in one line. */
export function formatRequest({ request, type, dns }: Flow): string {
  if (request) return `${request.method} ${request.path}`;
  return dns ? `DNS ${dns.request.questions[0]?.name ?? ''}` : type;
}

export function formatStatus({ response, error }: Flow): string {
  return [response && `${response.status} ${response.reason}`, error?.message].filter(Boolean).join(', ');
}

function formatLatency(ms: number | undefined): string {
  return ms === undefined ? '' : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

function details(title: string, content: string, open: boolean): string {
  return `<details${open ? ' open' : ''}><summary>${title}</summary>${content}</details>`;
}

function table(header: string[], rows: string[][]): string {
  const line = (cells: string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<table>${line(header, 'th')}${rows.map((row) => line(row, 'td')).join('')}</table>`;
}

function list(items: string[]): string {
  return items.length === 0 ? '' : `<ul>${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;
}

function code(content: string): string {
  return `<code>${text(content)}</code>`;
}

/** Escapes text for HTML, in one line: an empty line would end the HTML. */
function text(content: string): string {
  const short = content.length > MAX_TEXT ? `${content.slice(0, MAX_TEXT)}…` : content;
  return short.replace(/[\s\p{Cc}]+/gu, ' ').replace(/[&<>"'`@:]/g, (char) => `&#${char.charCodeAt(0)};`);
}
