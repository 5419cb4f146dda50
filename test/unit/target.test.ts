import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UsageError } from '../../scripts/lib/error.ts';
import { Kubectl } from '../../scripts/lib/kubectl.ts';
import { locate } from '../../scripts/lib/service.ts';
import { parseTarget } from '../../scripts/lib/target.ts';

describe('parseTarget', () => {
  for (const argument of ['web', 'svc/web', 'service/web', 'services/web']) {
    it(`reads ${argument}`, () =>
      assert.deepEqual(parseTarget(argument), { namespace: undefined, service: 'web' }));
  }

  it('reads a namespace before the name', () => {
    assert.deepEqual(parseTarget('shop/web'), { namespace: 'shop', service: 'web' });
  });

  const hostile = [
    '-x',
    '--all',
    'a;b',
    '$(x)',
    '`x`',
    '../x',
    'WEB',
    'a b',
    'a'.repeat(64),
    '',
    'a/b/c',
    'a/',
    '/a',
  ];
  for (const argument of [...hostile, 'pod/x', 'deploy/x', 'web\n', 'wéb']) {
    it(`refuses ${JSON.stringify(argument)}`, () => assert.throws(() => parseTarget(argument), UsageError));
  }
});

describe('locate', () => {
  it('takes the namespace from the argument, or else from the flag', () => {
    assert.equal(locate(new Kubectl({}), 'shop/web').kubectl.connection.namespace, 'shop');
    assert.equal(locate(new Kubectl({ namespace: 'shop' }), 'web').kubectl.connection.namespace, 'shop');
  });

  it('refuses two namespaces that differ', () => {
    assert.throws(() => locate(new Kubectl({ namespace: 'prod' }), 'shop/web'), UsageError);
  });
});
