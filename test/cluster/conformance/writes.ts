import { configMap, pod, service, workload } from './manifests.ts';
import { type Scenario, scenario } from './scenario.ts';

/** Scenarios: create, apply, replace, patch, label, annotate, set. */
export const writes: Scenario[] = [
  scenario('create and AlreadyExists', async (t) => {
    await t.see('create configmap c --from-literal=a=1 --from-literal=b=2');
    await t.see('create configmap c --from-literal=a=1');
    await t.see('create -f -', { input: [configMap('d', { x: 'y' }), configMap('c', {})] });
    await t.see('get configmap c d', {
      fields: ['items.data', 'items.kind', 'items.apiVersion', 'items.metadata.name'],
    });
    await t.see('create secret generic s --from-literal=key=word');
    await t.see('get secret s', { fields: ['data', 'type'] });
    await t.see('create -f -', {
      input: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'g-' } },
    });
    await t.see('create namespace $NS');
    await t.see('create configmap e -n no-such-namespace');
    await t.see('create -f -', {
      input: { ...configMap('f', {}), metadata: { name: 'f', namespace: 'default' } },
    });
    await t.see('create configmap dry --dry-run=server -o name');
    await t.see('get configmap dry');
    await t.see('create deployment made --image=$IMAGE --replicas=0');
    await t.see('create service clusterip made --tcp=80:8080');
    await t.see('get service made', {
      fields: ['spec.ports', 'spec.selector', 'spec.type', 'spec.sessionAffinity'],
    });
  }),

  scenario('apply and replace', async (t) => {
    await t.see('apply -f -', { input: configMap('c', { a: '1', b: '2' }) });
    await t.see('apply -f -', { input: configMap('c', { a: '1', b: '2' }) });
    await t.see('apply -f -', { input: configMap('c', { a: '3' }) });
    await t.see('get configmap c', { fields: ['data', 'metadata.annotations'] });
    await t.see('diff -f -', { input: configMap('c', { a: '3' }) });
    await t.see('replace -f -', { input: configMap('c', { z: '1' }) });
    await t.see('get configmap c', { fields: ['data', 'metadata.annotations'] });
    await t.see('replace -f -', { input: configMap('missing', {}) });
    await t.see('replace -f -', {
      input: { ...configMap('c', {}), metadata: { name: 'c', resourceVersion: '1' } },
    });
    await t.see('apply -f -', { input: workload('Deployment', 'web', undefined, { replicas: 0 }) });
    await t.see('apply -f -', {
      input: workload('Deployment', 'web', undefined, { replicas: 0, minReadySeconds: 1 }),
    });
    await t.see('get deployment web', {
      fields: ['spec.minReadySeconds', 'spec.replicas', 'metadata.generation'],
    });
    await t.see('apply --dry-run=server -f -', { input: configMap('c', { q: '1' }) });
    await t.see('get configmap c', { fields: ['data'] });
  }),

  // `--server-side` is not compared: the pocket cluster refuses it.
  scenario('patch: JSON patch, merge patch, conflicts, dry run', async (t) => {
    await t.make(
      configMap('c', { a: '1', b: '2' }),
      service('web', {
        ports: [
          { name: 'x', port: 80 },
          { name: 'y', port: 81 },
        ],
      }),
    );
    await t.see(
      `patch configmap c --type=json -p '[{"op":"test","path":"/data/a","value":"1"},{"op":"replace","path":"/data/a","value":"2"}]'`,
    );
    await t.see(
      `patch configmap c --type=json -p '[{"op":"test","path":"/data/a","value":"1"},{"op":"replace","path":"/data/a","value":"3"}]'`,
    );
    await t.see(`patch configmap c --type=json -p '[{"op":"remove","path":"/data/none"}]'`);
    // Replacing a missing field is not compared: a 1.20 adds it, later versions refuse.
    await t.see(
      `patch configmap c --type=json -p '[{"op":"add","path":"/metadata/annotations","value":{"x/y":"1"}}]'`,
    );
    await t.see(
      `patch configmap c --type=json -p '[{"op":"add","path":"/metadata/annotations/x~1z","value":"2"}]'`,
    );
    await t.see(
      `patch configmap c --type=json -p '[{"op":"copy","from":"/data/a","path":"/data/c"},{"op":"move","from":"/data/b","path":"/data/d"}]'`,
    );
    await t.see('get configmap c', { fields: ['data', 'metadata.annotations'] });
    await t.see(`patch configmap c --type=merge -p '{"data":{"a":null,"n":"1"}}'`);
    await t.see(`patch configmap c --type=merge -p '{"data":{"n":"1"}}'`);
    await t.see(`patch configmap c --type=merge -p '{"metadata":{"resourceVersion":"1"},"data":{"n":"2"}}'`);
    await t.see(`patch configmap c --type=merge -p '{"data":{"n":"5"}}' --dry-run=server`);
    await t.see(`patch configmap c --type=merge -p '{"data":{"n":"5"}}' --dry-run=server`, {
      fields: ['data'],
    });
    await t.see('get configmap c', { fields: ['data'] });
    await t.see(`patch configmap none --type=merge -p '{}'`);
    await t.see(`patch configmap c --type=merge -p 'nonsense'`, {
      loosely: (seen) => seen.replace(/\n[\s\S]*/, ''),
    });
    await t.see(`patch configmap c --type=merge -p '{"metadata":{"name":"other"}}'`);
    await t.see(
      `patch service web --type=json -p '[{"op":"test","path":"/spec/ports/1/port","value":81},{"op":"replace","path":"/spec/ports/1/targetPort","value":"http"}]'`,
    );
    await t.see(`patch service web --type=merge -p '{"spec":{"ports":[{"port":90}]}}'`);
    await t.see('get service web', { fields: ['spec.ports'] });
    await t.see(`patch configmap c -p '{"metadata":{"labels":{"a":"b"}}}' -o name`);
    await t.see(
      `patch configmap c --type=merge -p '{"data":{"z":"1"}}' --field-manager=mittens -o 'jsonpath={.data.z}'`,
    );
  }),

  scenario('strategic merge patch', async (t) => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ];
    const ports = [{ name: 'http', containerPort: 8080 }];
    const app = {
      name: 'app',
      image: '$IMAGE',
      env,
      ports,
      args: ['x', 'y'],
      volumeMounts: [{ name: 'v', mountPath: '/v' }],
    };
    const side = { name: 'side', image: '$IMAGE' };
    const volumes = [{ name: 'v', emptyDir: {} }];
    await t.make(workload('Deployment', 'web', [app, side], { replicas: 0 }, { volumes }), service('web'));
    const spec = 'spec.template.spec';
    const fields = [
      `${spec}.containers.name`,
      `${spec}.containers.env`,
      `${spec}.containers.ports`,
      `${spec}.containers.args`,
      `${spec}.volumes`,
    ];
    const patch = async (body: object, extra = '') =>
      await t.see(
        `patch deployment web ${extra} -p '${JSON.stringify({ spec: { template: { spec: body } } })}'`,
        { fields },
      );
    await patch({ containers: [{ name: 'proxy', image: '$IMAGE' }] });
    await patch({
      containers: [
        {
          name: 'app',
          env: [
            { name: 'B', value: '3' },
            { name: 'C', value: '4' },
          ],
          args: ['z'],
        },
      ],
    });
    await patch({ containers: [{ name: 'app', env: [{ name: 'A', $patch: 'delete' }] }] });
    await patch({ containers: [{ name: 'proxy', $patch: 'delete' }] }, '--dry-run=server');
    await patch({ containers: [{ name: 'proxy', $patch: 'delete' }] });
    await patch({
      '$setElementOrder/containers': [{ name: 'side' }, { name: 'app' }],
      containers: [{ name: 'app', args: null }],
    });
    await patch({
      '$setElementOrder/containers': [{ name: 'app' }, { name: 'late' }, { name: 'side' }],
      containers: [{ name: 'late', image: '$IMAGE' }],
    });
    await patch({ '$deleteFromPrimitiveList/nothing': ['x'] });
    await patch({ volumes: [{ name: 'v', emptyDir: null, configMap: { name: 'c' } }] });
    await patch({ volumes: [{ $retainKeys: ['name', 'emptyDir'], name: 'v', emptyDir: {} }] });
    await patch({ containers: [{ name: 'app', env: [{ $patch: 'replace' }, { name: 'Z', value: '1' }] }] });
    await patch({ containers: [{ image: '$IMAGE' }] });
    await t.see(
      `patch deployment web -p '{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}}'`,
      { fields: ['spec.strategy'] },
    );
    await t.see(`patch service web -p '{"spec":{"ports":[{"port":80,"targetPort":9}]}}'`, {
      fields: ['spec.ports'],
    });
    await t.see(`patch service web -p '{"spec":{"ports":[{"name":"n","port":81,"targetPort":9}]}}'`);
    await t.see(`patch deployment web -p '{"metadata":{"resourceVersion":"1"}}'`);
    await t.see(`patch deployment web -p '{"spec":{"template":{"metadata":{"annotations":{"a":"b"}}}}}'`, {
      fields: ['spec.template.metadata.annotations'],
    });
  }),

  scenario('label and annotate', async (t) => {
    await t.make(configMap('c', {}), configMap('d', {}));
    await t.see('label configmap c a=1');
    await t.see('label configmap c a=1');
    await t.see('label configmap c a=2');
    await t.see('label configmap c a=2 --overwrite');
    await t.see('label configmap c a-');
    await t.see('label configmap c a-');
    await t.see('label configmap --all team=x');
    await t.see(`label configmap c 'bad=no spaces'`);
    await t.see('label configmap none a=1');
    await t.see('annotate configmap c note=1');
    await t.see('annotate configmap c note=2');
    await t.see('annotate configmap c note=2 --overwrite');
    await t.see('annotate configmap c note=3 --overwrite --resource-version=1');
    await t.see('annotate configmap c note-');
    await t.see('get configmap c', { fields: ['metadata.labels', 'metadata.annotations'] });
    await t.see('get configmap -l team=x --show-labels');
    await t.see('get configmap -l team -L team');
  }),

  scenario('set, scale, expose', async (t) => {
    await t.make(workload('Deployment', 'web', undefined, { replicas: 0 }), configMap('c', { KEY: 'v' }));
    await t.see('set image deployment/web app=other:1');
    await t.see('set image deployment/web none=other:1');
    await t.see('set env deployment/web A=1 B=2');
    await t.see('set env deployment/web --list');
    await t.see('set env deployment/web B-');
    await t.see('set resources deployment/web --limits=cpu=100m,memory=0.5Gi --requests=cpu=0.05');
    await t.see('get deployment web', {
      fields: [
        'spec.template.spec.containers.image',
        'spec.template.spec.containers.env',
        'spec.template.spec.containers.resources',
      ],
    });
    await t.see('scale deployment web --replicas=0');
    await t.see('scale deployment web --current-replicas=5 --replicas=0');
    await t.see('scale deployment none --replicas=0');
    await t.see('scale configmap c --replicas=1');
    await t.see('get deployment web --subresource=scale', {
      fields: ['kind', 'apiVersion', 'spec', 'status'],
    });
    await t.see('expose deployment web --port=80 --target-port=8080');
    await t.see('get service web', { fields: ['spec.ports', 'spec.selector'] });
    await t.see('set selector service web x=y');
    await t.see('get service web', { fields: ['spec.selector'] });
  }),

  scenario('defaults that the API server fills in', async (t) => {
    const containers = [
      {
        name: 'app',
        image: '$IMAGE',
        ports: [{ containerPort: 1 }],
        readinessProbe: { httpGet: { port: 1 } },
      },
    ];
    await t.make(
      workload('Deployment', 'd', containers, { replicas: 0 }),
      workload('StatefulSet', 's', containers, { replicas: 0 }),
    );
    await t.make(workload('DaemonSet', 'e', containers, {}, { nodeSelector: { no: 'where' } }));
    await t.make(service('web'), service('head', { clusterIP: 'None' }));
    await t.see('get deployment d', { fields: ['spec', 'metadata.generation'] });
    // spec.persistentVolumeClaimRetentionPolicy is not compared: it exists since 1.27.
    await t.see('get statefulset s', {
      fields: [
        'spec.template',
        'spec.podManagementPolicy',
        'spec.replicas',
        'spec.revisionHistoryLimit',
        'spec.updateStrategy',
      ],
    });
    // maxSurge: 0 is set since 1.21.
    await t.see('get daemonset e', {
      fields: ['spec.template', 'spec.updateStrategy', 'spec.revisionHistoryLimit'],
      loosely: (seen) => seen.replace('"maxSurge":0,', ''),
    });
    // ipFamilies and internalTrafficPolicy are not compared: they exist since 1.20 and 1.22.
    await t.see('get service web head', {
      fields: ['items.spec.ports', 'items.spec.sessionAffinity', 'items.spec.type', 'items.spec.clusterIP'],
    });
    await t.make(pod('p', containers, { nodeSelector: { no: 'where' } }));
    // tolerations, priority and the token's volume are not compared: admission plugins set them.
    await t.see('get pod p', {
      fields: [
        'dnsPolicy',
        'restartPolicy',
        'schedulerName',
        'securityContext',
        'terminationGracePeriodSeconds',
        'enableServiceLinks',
        'serviceAccountName',
        'serviceAccount',
      ].map((field) => `spec.${field}`),
    });
    await t.see('get pod p', {
      fields: [
        'spec.containers.readinessProbe',
        'spec.containers.ports',
        'spec.containers.terminationMessagePath',
        'spec.containers.imagePullPolicy',
        'status.qosClass',
        'status.phase',
      ],
    });
  }),
];
