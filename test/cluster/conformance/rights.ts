import { configMap, object, pod, service } from './manifests.ts';
import { type Scenario, scenario } from './scenario.ts';

const GROUP = 'rbac.authorization.k8s.io';

function role(name: string, rules: object[]): object {
  return object(`${GROUP}/v1`, 'Role', name, {}, { rules });
}

function binding(name: string, roleName: string, user: string): object {
  const subjects = [{ kind: 'User', name: user, apiGroup: GROUP }];
  return object(
    `${GROUP}/v1`,
    'RoleBinding',
    name,
    {},
    { subjects, roleRef: { kind: 'Role', name: roleName, apiGroup: GROUP } },
  );
}

/** Scenarios: RBAC and access reviews. */
export const rights: Scenario[] = [
  scenario('RBAC: users with and without a Role', async (t) => {
    await t.make(
      role('reader', [
        { apiGroups: [''], resources: ['pods', 'pods/log', 'services'], verbs: ['get', 'list', 'watch'] },
        { apiGroups: [''], resources: ['services'], verbs: ['patch'], resourceNames: ['web'] },
        { apiGroups: ['apps'], resources: ['deployments'], verbs: ['*'] },
      ]),
      binding('jane-reads', 'reader', 'jane'),
      configMap('c', {}),
      service('web'),
      service('other'),
      pod('p', undefined, { nodeSelector: { no: 'where' } }),
    );
    await t.until('auth can-i get pods --as=jane', /yes/);
    await t.see('get pods --as=jane');
    await t.see('get services --as=jane -o name', { sorted: true });
    await t.see('get pod p --as=joe');
    await t.see('get pods --as=joe');
    await t.see('get pods -A --as=jane');
    await t.see('get configmap c --as=jane');
    await t.see('get nodes --as=jane');
    await t.see('delete pod p --as=jane');
    await t.see('create -f - --as=jane', { input: configMap('d', {}) });
    await t.see(`patch service web --as=jane -p '{"metadata":{"labels":{"a":"b"}}}'`);
    await t.see(`patch service other --as=jane -p '{"metadata":{"labels":{"a":"b"}}}'`);
    await t.see('get deployments --as=jane');
    await t.see('scale deployment none --replicas=1 --as=jane');
    await t.see('exec p --as=jane -- true');
    await t.see('attach p --as=jane');
    await t.see('port-forward p :80 --as=jane');
    await t.see('logs p --as=joe');
    await t.see('get pods --as=joe --as-group=system:masters');
    await t.see('get pods --as=system:serviceaccount:$NS:default');
    await t.see('get namespace $NS --as=jane');
    await t.see('get role,rolebinding -o name');
    await t.see('get rolebinding jane-reads -o wide');
    await t.see('describe role reader');
  }),

  scenario('auth can-i', async (t) => {
    await t.make(
      role('reader', [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }]),
      binding('jane-reads', 'reader', 'jane'),
    );
    await t.until('auth can-i get pods --as=jane', /yes/);
    await t.see('auth can-i get pods');
    await t.see('auth can-i get pods --as=jane');
    await t.see('auth can-i delete pods --as=jane');
    await t.see('auth can-i get pods --subresource=log --as=jane');
    await t.see('auth can-i get pods/log --as=jane');
    await t.see('auth can-i get pod/p --as=jane');
    await t.see('auth can-i patch deployments.apps/web --as=jane');
    await t.see('auth can-i get pods -A --as=jane');
    await t.see('auth can-i get pods -q --as=joe');
    await t.see('auth can-i get nonsense');
    const review = (kind: string, spec: object) => ({ apiVersion: 'authorization.k8s.io/v1', kind, spec });
    const attributes = { namespace: '$NS', verb: 'get', resource: 'pods' };
    await t.see('create -f - -o jsonpath={.status.allowed}', {
      input: review('SelfSubjectAccessReview', { resourceAttributes: attributes }),
    });
    await t.see('create --as=jane -f - -o jsonpath={.status.allowed}', {
      input: review('SelfSubjectAccessReview', { resourceAttributes: { ...attributes, verb: 'delete' } }),
    });
  }),
];
