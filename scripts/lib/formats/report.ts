import { createHash } from 'node:crypto';
import type { Flow } from '../flow/flow.ts';
import { Templates } from '../util/template.ts';
import { hasBodies, toReportFlow } from './report-flow.ts';

/**
 * How long a report can get, in bytes, but for a few thousand. From the first of these on bodies are left out, beyond
 * the second whole flows.
 */
export const REPORT_LIMITS = { bodies: 48 * 1024 * 1024, flows: 64 * 1024 * 1024 };
/** Flows are written in elements of about so many bytes. */
const CHUNK_BYTES = 256 * 1024;

const STYLES = ['page', 'overview', 'chart', 'table', 'detail', 'media'];

/** The page's script, as ES modules: each after those that it imports. */
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

/** What the page is told of what it does not have. */
interface End {
  flows: number;
  withoutBodies: number;
  omitted: number;
}

/**
 * Writes flows as a report: one HTML file that asks for nothing elsewhere. Flows are written as they come, and are not
 * kept. What they carry is data to the page, never markup or script: JSON in ASCII, without `<`, in elements that do not
 * run, which its own script, the only one that its policy lets run, shows as text.
 * @param write is called with one chunk after another, each when the one before is written.
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
    end.flows++;
    const bare = written >= REPORT_LIMITS.bodies;
    const line = `${toInertJson(toReportFlow(flow, bare ? 'without bodies' : 'with bodies'))}\n`;
    if (written + line.length > REPORT_LIMITS.flows) {
      end.omitted++;
      continue;
    }
    if (bare && hasBodies(flow)) end.withoutBodies++;
    written += line.length;
    lines += line;
    if (lines.length >= CHUNK_BYTES) {
      await write(formatElement('flows', lines));
      lines = '';
    }
  }
  await write(formatElement('flows', lines) + formatElement('end', toInertJson(end)) + foot);
}

/** A value as JSON that is ASCII and has nothing that HTML could take for its own, such as `</script` or `<!--`. */
function toInertJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function formatElement(name: string, json: string): string {
  return json && `<script type="application/json" class="${name}">\n${json}</script>\n`;
}

/** The page before and after the flows. */
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

/** A module's text as part of a script that has the other modules too. */
function removeModules(script: string): string {
  return script.replace(/^import [^;]*;\n/gm, '').replace(/^export /gm, '');
}

/** As a Content Security Policy names an inline script, https://www.w3.org/TR/CSP3/#match-element-to-source-list. */
function formatHash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'\0]/g, (character) => `&#${character.charCodeAt(0) || 0xfffd};`);
}
