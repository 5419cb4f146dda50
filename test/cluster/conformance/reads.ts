import { configMap, pod, service, web, workload } from './manifests.ts';
import { type Scenario, scenario } from './scenario.ts';
import { sleep } from './trial.ts';

/** Scenarios: get, describe, watch, wait. */
export const reads: Scenario[] = [
  scenario('get: objects without pods', async (t) => {
    await t.make(configMap('c', { a: '1' }), configMap('d', {}), service('web'));
    await t.see('get pods');
    await t.see('get pods -o json', { fields: ['kind', 'apiVersion', 'items'] });
    await t.see('get configmap c');
    await t.see('get configmaps,services -o name', { lines: /^(?!configmap\/kube-root)/ });
    await t.see('get cm/c svc/web');
    await t.see('get configmap none');
    await t.see('get configmap c none');
    await t.see('get configmap none --ignore-not-found');
    await t.see('get nonsense');
    await t.see('get nonsense.example.com x');
    await t.see('get configmap c -n no-such-namespace');
    await t.see('get configmap -n no-such-namespace');
    await t.see('get namespace no-such-namespace');
    await t.see('get namespace $NS');
    await t.see(`get configmap c -o 'jsonpath={.data.a}{"\\n"}{.metadata.name}'`);
    await t.see(`get configmap c -o 'jsonpath={.data.none}'`);
    await t.see(`get configmap c -o 'go-template={{.data.a}}'`);
    await t.see('get configmap c -o custom-columns=NAME:.metadata.name,A:.data.a,NONE:.data.none');
    await t.see('get configmap --field-selector metadata.name=d');
    await t.see(
      'get configmap --field-selector metadata.name!=d,metadata.name!=kube-root-ca.crt --no-headers',
    );
    await t.see('get configmap --field-selector data.a=1');
    await t.see(`get configmap -l 'a in (b'`);
    await t.see(`get configmap -l 'app notin (x),!team'`, { lines: /^[cd] / });
    await t.see('get service web -o wide');
    await t.see('get configmap -A -o name --field-selector metadata.namespace=$NS,metadata.name=c');
    await t.see('get configmap c -o yaml', { lines: /^(?! {2}(uid|resourceVersion|creationT|managedF))/ });
    await t.see('get nodes', {
      loosely: (seen) =>
        seen
          .replace(/v1\.\d+\S*/, 'VERSION')
          .replace('<none>', 'ROLES')
          .replace('control-plane', 'ROLES'),
    });
    await t.see('get --raw /api/v1/namespaces/$NS/configmaps/none');
    await t.see('get --raw /no/such/path');
    await t.see('get --raw /healthz');
    await t.see('get configmap c --chunk-size=1', { silent: true });
  }),

  scenario('get: tables of workloads and pods', async (t) => {
    await t.make(
      workload('Deployment', 'web', [web('a')]),
      workload('StatefulSet', 'db'),
      workload('DaemonSet', 'agent'),
      service('web'),
    );
    await t.make(pod('done', undefined, { nodeSelector: { no: 'where' } }));
    await t.until('get deployment web', /1\/1/);
    await t.until('get statefulset db', /1\/1/);
    await t.until('get pods -l app=agent', /Running/);
    for (const kind of ['deployments', 'replicasets', 'statefulsets', 'daemonsets', 'endpoints', 'pods']) {
      await t.see(`get ${kind}`, { sorted: true });
      await t.see(`get ${kind} -o wide`, { sorted: true });
    }
    // endpointslices and serviceaccounts have other columns since 1.21 and 1.24, so only names are compared.
    await t.see('get endpointslices -o name');
    await t.see('get serviceaccounts -o name');
    await t.see('get all', { sorted: true });
    await t.see('get pods -l app=web -o name');
    await t.see(`get pods -l 'app in (web,db)' --show-labels`, {
      sorted: true,
      // Since 1.28 a StatefulSet's pods have their number as a label.
      loosely: (seen) => seen.replace(/apps.kubernetes.io\/pod-index=0,/g, ''),
    });
    await t.see('get pods --field-selector status.phase=Running,spec.nodeName=$NODE', { sorted: true });
    await t.see('get pods --field-selector status.phase=Pending --no-headers');
    await t.see('get pods --field-selector spec.nonsense=1');
    await t.see('get pods -A --field-selector metadata.namespace=$NS,metadata.name=db-0');
    await t.see('get pods --sort-by=.metadata.name -L app', { sorted: true });
    await t.see('get deploy,rs -o wide');
    await t.see('get pods -l app=web', {
      fields: [
        'items.metadata.ownerReferences.kind',
        'items.metadata.ownerReferences.controller',
        'items.metadata.generateName',

        'items.status.conditions',
        'items.status.containerStatuses.ready',
        'items.status.containerStatuses.restartCount',
        'items.status.containerStatuses.image',
        'items.status.containerStatuses.started',
        'items.status.containerStatuses.lastState',
        'items.status.phase',
        'items.spec.nodeName',
        'items.status.podIP',
        'items.status.hostIP',
      ],
    });
  }),

  scenario('get --watch', async (t) => {
    await t.make(configMap('c', { a: '1' }));
    const watched = t.meanwhile(
      'get configmap -l w=1 --watch -o custom-columns=NAME:.metadata.name,A:.data.a --no-headers',
      /late +3\nlate +3/,
      async () => {},
    );
    await sleep(700);
    await t.run(['create', '-f', '-'], {
      input: { ...configMap('late', { a: '1' }), metadata: { name: 'late', labels: { w: '1' } } },
    });
    await t.run(['label', 'configmap', 'c', 'w=1']);
    await t.run(['label', 'configmap', 'c', 'w-']);
    await t.run(['patch', 'configmap', 'late', '-p', '{"data":{"a":"3"}}']);
    await t.run(['delete', 'configmap', 'late']);
    await watched;
    await t.see('get configmap c --watch', { stop: 1500 });
    await t.see('get configmap c --watch --output-watch-events', { stop: 1500 });
    await t.see('get configmap none --watch', { stop: 1500 });
    await t.see('get configmap c --watch-only', { stop: 1000 });
    await t.see('get configmap c --watch --request-timeout=1s -o name');
    await t.see(
      'get --raw /api/v1/namespaces/$NS/configmaps?watch=1&timeoutSeconds=1&resourceVersion=0&fieldSelector=metadata.name%3Dc',
      {
        loosely: (seen) => seen.replace(/("type":"\w+").*/g, '$1'),
      },
    );
  }),

  scenario('describe', async (t) => {
    await t.make(
      configMap('c', { a: '1' }),
      workload('Deployment', 'web', [web('a')]),
      service('web'),
      workload('StatefulSet', 'db', undefined, { replicas: 0 }),
    );
    await t.until('get deployment web', /1\/1/);
    await t.until('get endpoints web', /8080/);
    await t.see('describe configmap c');
    await t.see('describe deployment web', {
      // Since 1.31 events tell the number of pods before the scaling.
      loosely: (seen) => seen.replace(/ from \d+ to /, ' to '),
    });
    await t.see('describe replicaset -l app=web');
    await t.see('describe statefulset db');
    // Since 1.31 kubectl reads EndpointSlices v1, which a 1.20 lacks, so endpoints are not compared.
    await t.see('describe service web', { lines: /^(?!Endpoints|IP Famil|Internal|IPs|IP:)/ });
    await t.see('describe pod -l app=web', {
      lines:
        /^ *(Name|Namespace|Priority|Service Account|Node|Labels|Status|Controlled By|Command|Args|Port|Host Port|State|Ready|Restart Count|Readiness|Environment|Initialized|ContainersReady|PodScheduled|Image):/,
    });
    await t.see('describe pod none');
    await t.see('describe namespace $NS', { lines: /^(Name|Status|Annotations):/ });
    await t.see('describe node $NODE', { silent: true });
  }),

  scenario('wait', async (t) => {
    await t.make(
      pod('p', [web('a')]),
      pod('stuck', undefined, { nodeSelector: { no: 'where' } }),
      workload('Deployment', 'web', [web('a')]),
    );
    await t.see('wait pod/p --for=condition=Ready --timeout=80s');
    await t.see('wait pod/stuck --for=condition=Ready --timeout=1s');
    await t.see('wait pod/stuck --for=condition=PodScheduled=false --timeout=5s');
    await t.see('wait deployment/web --for=condition=Available --timeout=80s');
    await t.see(`wait pod/p '--for=jsonpath={.status.phase}=Running' --timeout=5s`);
    await t.see(`wait pod/p '--for=jsonpath={.status.phase}=Odd' --timeout=1s`);
    await t.see('wait pod -l app=p --for=condition=Ready --timeout=5s');
    await t.see('wait pod -l app=none --for=condition=Ready --timeout=1s');
    await t.see('wait pod/none --for=condition=Ready --timeout=1s');
    await t.see('wait pod/none --for=delete --timeout=1s');
    await t.see('wait pod/p --for=delete --timeout=1s');
    await t.run(['delete', 'pod', 'p', '--wait=false']);
    await t.see('wait pod/p --for=delete --timeout=80s', { lines: /exit|error/ });
    await t.see(`wait pod/stuck --for=create --timeout=1s`);
  }),
];
