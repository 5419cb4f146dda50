import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ANNOTATION, parseRecord } from '../../scripts/lib/plan/record.ts';
import { restorePatch } from '../../scripts/lib/plan/service-patch.ts';
import { UserError } from '../../scripts/lib/util/error.ts';
import { Templates } from '../../scripts/lib/util/template.ts';
import { record, service } from './objects.ts';

const tapped = (text: string) => service({}, { [ANNOTATION]: text });
const [port] = record().ports;

describe('recordOf', () => {
  it('parseRecord reads the record that a tap wrote', () => {
    assert.deepEqual(parseRecord(tapped(JSON.stringify(record()))), record());
  });

  it('parseRecord reads the record of a capture from the wire', () => {
    const captured = record({ program: 'wire' });
    assert.deepEqual(parseRecord(tapped(JSON.stringify(captured))), captured);
  });

  it('parseRecord returns undefined for a Service without a tap', () => {
    assert.equal(parseRecord(service()), undefined);
  });

  // `off` acts on the record with the rights of whoever runs it.
  const hostile: [string, unknown][] = [
    ['a record of a later version', { ...record(), version: 2 }],
    ['the name of another container', record({ container: 'app' })],
    ['a container name with quotes', record({ container: 'mittens-x", "y' })],
    ['a workload of another kind', record({ workloads: ['secret/admin'] })],
    ['a workload that is a path', record({ workloads: ['deployment/../web'] })],
    ['a workload that is a flag', record({ workloads: ['deployment/web --all'] })],
    ['an invalid id', record({ id: '../etc' })],
    ['a port out of range', { ...record(), ports: [{ ...port, listenPort: 70000 }] }],
    ['a port that is text', { ...record(), ports: [{ ...port, port: '80' }] }],
    ['a targetPort that is an object', { ...record(), ports: [{ ...port, targetPort: {} }] }],
    ['ports that are not a list', { ...record(), ports: port }],
    ['an unknown program', { ...record(), program: 'wires' }],
    ['an unknown mode', { ...record(), mode: 'magic' }],
    ['null', null],
    ['a list', []],
  ];
  for (const [what, value] of hostile) {
    it(`parseRecord refuses ${what}`, () =>
      assert.throws(() => parseRecord(tapped(JSON.stringify(value))), UserError));
  }

  it('parseRecord refuses text that is not JSON', () =>
    assert.throws(() => parseRecord(tapped('{"version":1')), UserError));
});

describe('restorePatch', () => {
  it('restorePatch keeps a targetPort that someone else has changed', () => {
    const current = service({ ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 9999 }] });
    const patch = restorePatch(new Templates(), current, record()) as { spec: { ports: object[] } };
    assert.deepEqual(patch.spec.ports, current.spec.ports);
  });
});
