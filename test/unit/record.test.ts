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
  it('reads what was written', () => {
    assert.deepEqual(parseRecord(tapped(JSON.stringify(record()))), record());
  });

  it('is undefined for a Service that is not tapped', () => {
    assert.equal(parseRecord(service()), undefined);
  });

  // `off` acts on the record with the rights of whoever runs it.
  const hostile: [string, unknown][] = [
    ['a later version', { ...record(), version: 2 }],
    ['a container that is not ours', record({ container: 'app' })],
    ['a container with more in its name', record({ container: 'mittens-x", "y' })],
    ['a workload of another kind', record({ workloads: ['secret/admin'] })],
    ['a workload that is a path', record({ workloads: ['deployment/../web'] })],
    ['a workload that is a flag', record({ workloads: ['deployment/web --all'] })],
    ['an id that is not one', record({ id: '../etc' })],
    ['a port out of range', { ...record(), ports: [{ ...port, listenPort: 70000 }] }],
    ['a port that is text', { ...record(), ports: [{ ...port, port: '80' }] }],
    ['a targetPort that is an object', { ...record(), ports: [{ ...port, targetPort: {} }] }],
    ['ports that are no list', { ...record(), ports: port }],
    ['another mode', { ...record(), mode: 'magic' }],
    ['nothing', null],
    ['a list', []],
  ];
  for (const [what, value] of hostile) {
    it(`refuses ${what}`, () => assert.throws(() => parseRecord(tapped(JSON.stringify(value))), UserError));
  }

  it('refuses what is not JSON', () => assert.throws(() => parseRecord(tapped('{"version":1')), UserError));
});

describe('restorePatch', () => {
  it('leaves a port alone that someone else has pointed elsewhere', () => {
    const current = service({ ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 9999 }] });
    const patch = restorePatch(new Templates(), current, record()) as { spec: { ports: object[] } };
    assert.deepEqual(patch.spec.ports, current.spec.ports);
  });
});
