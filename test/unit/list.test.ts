import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { summarize } from '../../scripts/lib/commands/tap-summary.ts';
import type { Service } from '../../scripts/lib/kube/objects.ts';
import { ANNOTATION } from '../../scripts/lib/plan/record.ts';
import { formatAge } from '../../scripts/lib/util/units.ts';
import { record, service, workload } from './objects.ts';

const tappedPort = [{ port: 80, targetPort: 7777 }];
const withProxy = workload('Deployment', {}, { containers: [{ name: 'app' }, { name: 'mittens-web' }] });

function tapped(parts: object = {}, spec: Partial<Service['spec']> = { ports: tappedPort }): Service {
  return service(spec, { [ANNOTATION]: JSON.stringify({ ...record(), ...parts }) });
}

describe('summarize', () => {
  const cases: [string, Service, (typeof withProxy)[]][] = [
    ['on', tapped(), [withProxy]],
    ['starting', tapped({ phase: 'starting' }), [withProxy]],
    ['stopping', tapped({ phase: 'stopping' }), [workload()]],
    ['broken: deployment/web is gone', tapped(), []],
    ['broken: deployment/web has lost the proxy', tapped(), [workload()]],
    ['broken: port 80 points at http again', tapped({}, {}), [withProxy]],
    ['broken: port 80 is gone', tapped({}, { ports: [] }), [withProxy]],
    ['broken: unreadable record', tapped({ version: 9 }), [withProxy]],
    ['broken: left by kubetap', service({}, { 'kubetap.io/original-port': '80' }), [workload()]],
    ['broken: left by the Go mittens', service({}, { 'mittens.io/original-port': 'http' }), [workload()]],
  ];
  for (const [state, service, workloads] of cases) {
    it(`list shows the state "${state}"`, () =>
      assert.equal(summarize(service, { workloads, pods: [] }).state, state));
  }

  it('list counts the pods of the tapped workloads only', () => {
    assert.deepEqual(
      summarize(tapped(), { workloads: [withProxy, workload('StatefulSet')], pods: [] }).pods,
      { ready: 2, wanted: 2 },
    );
  });
});

describe('formatAge', () => {
  // As k8s.io/apimachinery/pkg/util/duration writes them.
  for (const [seconds, text] of [
    [-5, '0s'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [150, '2m30s'],
    [599, '9m59s'],
    [600, '10m'],
    [10_799, '179m'],
    [10_800, '3h'],
    [12_600, '3h30m'],
    [28_800, '8h'],
    [172_799, '47h'],
    [172_800, '2d'],
  ] as const) {
    it(`an age of ${seconds} s is shown as ${text}, as in kubectl`, () =>
      assert.equal(formatAge(seconds * 1000), text));
  }
});
