import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Harvest } from '../../action/harvest.ts';
import { harmless } from '../../action/log.ts';
import { formatSummary, type Report } from '../../action/summary.ts';
import { Comparable } from '../../scripts/lib/flow/diff.ts';
import type { Flow } from '../../scripts/lib/flow/flow.ts';
import { http } from './report-flows.ts';

function harvestOf(flows: Flow[], more: Partial<Harvest> = {}): Harvest {
  const comparable = new Comparable();
  for (const flow of flows) comparable.add(flow);
  const own = {
    comparable,
    flows: flows.length,
    errors: 0,
    firstErrors: flows.slice(0, 5),
    slowest: flows.slice(0, 5),
  };
  const services = [{ service: 'shop/orders', files: [], ...own }];
  return { services, comparable, failing: { count: 0, first: [] }, isExpected: true, warnings: [], ...more };
}

function report(flows: Flow[], more: Partial<Report> = {}): Report {
  return {
    harvest: harvestOf(flows),
    failures: [],
    problems: [],
    differences: undefined,
    artifactUrl: undefined,
    ...more,
  };
}

describe("a job's summary", () => {
  const hostile =
    '<img src=https://evil.example/x onerror=alert(1)>|`**[a](https://evil.example)**`@octo\n\n# x ![i](y)';

  it('captured text cannot break out of the HTML of the job summary', () => {
    const flows = [http({ path: `/${hostile}`, method: hostile, reason: hostile })];
    const failures = [{ service: 'shop/orders', why: hostile, repair: hostile }];
    const differences = [{ endpoint: hostile, kind: 'new' as const, what: hostile }];
    const harvest = harvestOf(flows, { warnings: [hostile], failing: { count: 1, first: flows } });
    const summary = formatSummary({
      harvest,
      failures,
      problems: [hostile],
      differences,
      artifactUrl: undefined,
    });
    assert.doesNotMatch(summary, /<img|<a |https:|@octo|\[a\]\(https:|^# x/m);
    for (const block of summary.split('\n\n').filter(Boolean))
      assert.match(block, /^(<(h3|ul|p|details)[ >]|```mermaid\n)/);
  });

  it('the job summary stays below 1 MiB, and says how many endpoints it leaves out', () => {
    const flows = Array.from({ length: 20_000 }, (_, n) =>
      http({ path: `/${'x'.repeat(3000)}${n}/y${n}z/${'<'.repeat(90)}` }),
    );
    const summary = formatSummary(report(flows));
    assert.ok(Buffer.byteLength(summary) < 1024 * 1024);
    assert.match(summary, /And \d+ more/);
  });

  it('the job summary says if nothing was recorded, and if nothing differs from the baseline', () => {
    assert.match(
      formatSummary(report([])),
      /shop\/orders<\/code>: 0 requests, no errors[\s\S]*Nothing reached/,
    );
    assert.match(formatSummary(report([http({})], { differences: [] })), /No differences from the baseline/);
  });
});

describe('the log of the job', () => {
  it('a printed line is never a workflow command', () => {
    for (const line of [
      '::error::x',
      '  ::set-output name=a::b',
      'text ##[set-env name=PATH]x',
      '\t::stop-commands::y',
    ])
      assert.doesNotMatch(harmless(line), /^\s*::|##\[/);
    assert.equal(harmless('a::b'), 'a::b');
  });
});
