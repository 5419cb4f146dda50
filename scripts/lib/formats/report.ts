import { createHash } from 'node:crypto';
import type { Flow } from '../flow/flow.ts';
import { Templates } from '../util/template.ts';
import { hasBodies, toReportFlow } from './report-flow.ts';

/** Limits of a report's length, in bytes: after the first, bodies are left out; after the second, whole flows. */
export const REPORT_LIMITS = { bodies: 48 * 1024 * 1024, flows: 64 * 1024 * 1024 };
/** Flows are written in HTML elements of about this length. */
const CHUNK_BYTES = 256 * 1024;

const STYLES = ['page', 'overview', 'chart', 'table', 'detail', 'media'];

/** The modules of the page's script, each after the modules that it imports. */
const SCRIPTS = [
  'element',
  'number',
  'flow',
  'statistics',
  'search',
  'json',
  'dns',
  'body',
  'chart',
  'latency-chart',
  'time-chart',
  'overview',
  'column',
  'table',
  'section',
  'detail',
  'keyboard',
  'main',
];

/** Counts at the end of the page: of all flows, of those without bodies, and of those left out. */
interface End {
  flows: number;
  withoutBodies: number;
  omitted: number;
}

/**
 * Writes flows as a report: one HTML file that loads nothing. Flows are written one by one and not kept in memory. Captured
 * data never becomes markup or script: it is ASCII JSON without `<` in elements that do not run. The page's Content
 * Security Policy allows only its own script, which shows the data as text.
 * @param write is called with one chunk after another, and awaited.
 */
export async function writeReport(
  flows: AsyncIterable<Flow>,
  write: (chunk: string) => Promise<void>,
  { title }: { title: string },
): Promise<void> {
  const [head, foot] = readPage(title);
  await write(head);
  let written = head.length + foot.length;
  let lines = '';
  const end: End = { flows: 0, withoutBodies: 0, omitted: 0 };
  for await (const flow of flows) {
    const line = formatLine(flow, written, end);
    written += line.length;
    lines += line;
    if (lines.length < CHUNK_BYTES) continue;
    await write(formatElement('flows', lines));
    lines = '';
  }
  await write(formatElement('flows', lines) + formatElement('end', toInertJson(end)) + foot);
}

/** Formats a flow, and counts it in `end`. @returns an empty line if the report has no room for the flow. */
function formatLine(flow: Flow, written: number, end: End): string {
  const isBare = written >= REPORT_LIMITS.bodies;
  const line = `${toInertJson(toReportFlow(flow, isBare ? 'without bodies' : 'with bodies'))}\n`;
  const isOmitted = written + line.length > REPORT_LIMITS.flows;
  end.flows++;
  if (isOmitted) end.omitted++;
  else if (isBare && hasBodies(flow)) end.withoutBodies++;
  return isOmitted ? '' : line;
}

/** Converts a value to ASCII JSON that contains no HTML syntax, such as `</script` or `<!--`. */
function toInertJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function formatElement(name: string, json: string): string {
  return json && `<script type="application/json" class="${name}">\n${json}</script>\n`;
}

/** Reads the page: the part before the flows and the part after them. */
function readPage(title: string): [head: string, foot: string] {
  const templates = new Templates();
  const read = (file: string) => templates.read(`report/${file}`);
  const style = STYLES.map((name) => read(`${name}.css`).replace(/^\/\* biome-ignore.*\n/, '')).join('');
  const script = `'use strict';\n${SCRIPTS.map((name) => removeModules(read(`${name}.js`))).join('\n')}`;
  const policy = [
    "default-src 'none'",
    `script-src '${formatHash(script)}'`,
    `style-src '${formatHash(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
  const values: Record<string, string> = {
    '${title}': escapeHtml(title),
    '${policy}': policy,
    '<!-- style -->': `<style>${style}</style>`,
    '<!-- script -->': `<script type="module">${script}</script>`,
  };
  const page = read('page.html').replace(/\$\{\w+\}|<!-- (style|script) -->/g, (slot) => values[slot] ?? '');
  const [head = '', foot = ''] = page.split('<!-- flows -->\n');
  return [head, foot];
}

/** Removes imports and exports: all modules become one script. */
function removeModules(script: string): string {
  return script.replace(/^import [^;]*;\n/gm, '').replace(/^export /gm, '');
}

/** The hash of an inline script or style for a Content Security Policy, https://www.w3.org/TR/CSP3/#match-element-to-source-list. */
function formatHash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'\0]/g, (character) => `&#${character.charCodeAt(0) || 0xfffd};`);
}
