import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ServicePort } from '../../scripts/lib/kube/objects.ts';
import { chooseProtocol, isEncrypted, type Protocol } from '../../scripts/lib/plan/protocol.ts';

/** What a Service says of a port, and what we make of it. */
const PORTS: [says: Partial<ServicePort>, protocol: Protocol, encrypted?: boolean][] = [
  [{}, 'auto'],
  // What is HTTP the proxy sees by itself.
  [{ name: 'http' }, 'auto'],
  [{ name: 'web' }, 'auto'],
  [{ name: 'http2' }, 'auto'],
  [{ name: 'grpc' }, 'auto'],
  [{ name: 'grpc-web' }, 'auto'],
  [{ appProtocol: 'http' }, 'auto'],
  [{ appProtocol: 'kubernetes.io/h2c' }, 'auto'],
  [{ appProtocol: 'kubernetes.io/ws' }, 'auto'],
  // So it does TLS.
  [{ name: 'https' }, 'auto', true],
  [{ name: 'https-web' }, 'auto', true],
  [{ name: 'HTTPS' }, 'auto', true],
  [{ name: 'grpcs' }, 'auto', true],
  [{ name: 'tls' }, 'auto', true],
  [{ name: 'tls-mail' }, 'auto', true],
  [{ appProtocol: 'https' }, 'auto', true],
  [{ appProtocol: 'kubernetes.io/wss' }, 'auto', true],
  [{ port: 443 }, 'auto', true],
  [{ port: 443, name: 'web' }, 'auto', true],
  [{ port: 443, appProtocol: 'http' }, 'auto'],
  [{ port: 8443 }, 'auto'],
  // In these the server may speak first.
  [{ name: 'tcp' }, 'tcp'],
  [{ name: 'tcp-lines' }, 'tcp'],
  [{ name: 'mysql' }, 'tcp'],
  [{ name: 'mysql-primary' }, 'tcp'],
  [{ name: 'postgres' }, 'tcp'],
  [{ name: 'postgresql' }, 'tcp'],
  [{ name: 'redis' }, 'tcp'],
  [{ name: 'mongo' }, 'tcp'],
  [{ name: 'mongodb' }, 'tcp'],
  [{ name: 'smtp-mail' }, 'tcp'],
  [{ name: 'ssh' }, 'tcp'],
  [{ name: 'kafka' }, 'tcp'],
  [{ name: 'amqp' }, 'tcp'],
  [{ appProtocol: 'tcp' }, 'tcp'],
  [{ appProtocol: 'Redis' }, 'tcp'],
  // appProtocol counts, and not the name beside it.
  [{ appProtocol: 'http', name: 'redis' }, 'auto'],
  [{ appProtocol: 'mysql', name: 'http' }, 'tcp'],
  [{ appProtocol: 'http', name: 'https' }, 'auto'],
  [{ appProtocol: '', name: 'redis' }, 'tcp'],
  // A name is a word, not what it begins or ends with.
  [{ name: 'tcpdump' }, 'auto'],
  [{ name: 'web-tcp' }, 'auto'],
  [{ name: 'httpsx' }, 'auto'],
  [{ appProtocol: 'example.com/redis' }, 'auto'],
  [{ appProtocol: 'redis-cluster' }, 'auto'],
  // What no one would call a port.
  ...[
    '__proto__',
    'constructor',
    '-',
    '--',
    '-tcp',
    ' tcp',
    'tcp\n',
    'tcp\0',
    'ТСР',
    '$(tcp)',
    'toString',
  ].map((name): [Partial<ServicePort>, Protocol] => [{ name, appProtocol: name }, 'auto']),
];

describe('chooseProtocol', () => {
  for (const [says, protocol] of PORTS)
    it(`a port with ${JSON.stringify(says)} is taken as ${protocol}`, () =>
      assert.equal(chooseProtocol({ port: 80, ...says }), protocol));

  it('a very long appProtocol is taken as auto', () =>
    assert.equal(chooseProtocol({ port: 80, appProtocol: 'tcp'.repeat(100_000) }), 'auto'));
});

describe('isEncrypted', () => {
  for (const [says, , encrypted = false] of PORTS)
    it(`a port with ${JSON.stringify(says)} is expected to speak ${encrypted ? 'TLS' : 'plaintext'}`, () =>
      assert.equal(isEncrypted({ port: 80, ...says }), encrypted));
});
