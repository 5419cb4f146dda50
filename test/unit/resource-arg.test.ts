import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseResourceArg } from '../../scripts/lib/kube/resource-arg.ts';
import { createContext } from '../../scripts/lib/tap/context.ts';
import { resolve } from '../../scripts/lib/tap/resolve.ts';
import { UsageError } from '../../scripts/lib/util/error.ts';

const kinds = {
  service: ['web', 'svc/web', 'service/web', 'services/web'],
  pod: ['po/web', 'pod/web', 'pods/web'],
  deployment: ['deploy/web', 'deployment/web', 'deployments.apps/web'],
  statefulset: ['sts/web', 'statefulset/web'],
  daemonset: ['ds/web', 'daemonsets/web'],
};

describe('parseResourceArg', () => {
  for (const [kind, spellings] of Object.entries(kinds)) {
    for (const argument of spellings) {
      it(`the argument ${argument} means a ${kind}`, () =>
        assert.deepEqual(parseResourceArg(argument), { namespace: undefined, kind, name: 'web' }));
    }
  }

  it('the argument shop/web means the Service web in the namespace shop', () => {
    assert.deepEqual(parseResourceArg('shop/web'), { namespace: 'shop', kind: 'service', name: 'web' });
  });

  it('the name of a pod may have a dot, that of a Service may not', () => {
    assert.equal(parseResourceArg('pod/web-1.2').name, 'web-1.2');
    assert.throws(() => parseResourceArg('svc/web.2'), UsageError);
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
    'pod/',
    'pod/-x',
    'pod/../x',
  ];
  for (const argument of [...hostile, 'job/x', 'rs/x', 'web\n', 'wéb']) {
    it(`the argument ${JSON.stringify(argument)} is refused`, () =>
      assert.throws(() => parseResourceArg(argument), UsageError));
  }
});

describe('resolve', () => {
  it('resolve takes the namespace from the argument, or else from --namespace', async () => {
    const fromArgument = await resolve(createContext({}), 'shop/web');
    assert.equal(fromArgument.id, 'service/web');
    assert.equal(fromArgument.context.kubectl.connection.namespace, 'shop');
    const fromFlag = await resolve(createContext({ namespace: 'shop' }), 'web');
    assert.equal(fromFlag.context.kubectl.connection.namespace, 'shop');
  });

  it('resolve refuses an argument and a --namespace that differ', async () => {
    await assert.rejects(resolve(createContext({ namespace: 'prod' }), 'shop/web'), UsageError);
  });
});
