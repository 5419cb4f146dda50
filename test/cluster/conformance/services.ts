import { container, object, pod, service, web, workload } from './manifests.ts';
import { type Scenario, scenario } from './scenario.ts';
import type { Trial } from './trial.ts';

/** The result of a GET from inside the cluster: the answer, or the error's code. */
function ask(t: Trial, address: string, until: RegExp, loosely?: (seen: string) => string): Promise<string> {
  const code = `fetch("http://${address}", {signal: AbortSignal.timeout(3000)}).then((r) => r.text()).then(console.log, (e) => console.log(e.cause ? e.cause.code : e.name))`;
  return t.see(`exec client -- node -e '${code}'`, { until, ...(loosely && { loosely }) });
}

/** The ClusterIP of a Service. */
function readAddress(t: Trial, name: string): Promise<string> {
  return t.read(`get service ${name} -o jsonpath={.spec.clusterIP}`);
}

const SLICE = [
  'items.addressType',
  'items.endpoints.conditions.ready',
  'items.endpoints.targetRef.name',
  'items.ports.name',
  'items.ports.port',
  'items.metadata.labels',
  'items.metadata.ownerReferences.kind',
];

export const services: Scenario[] = [
  scenario('a ClusterIP forwards TCP and follows targetPort', async (t) => {
    await t.make(
      pod('client'),
      pod('web', [
        web('http'),
        web('other', { name: 'side', port: 8081, ports: [{ name: 'alt', containerPort: 8081 }] }),
      ]),
      service('web', {
        ports: [
          { name: 'a', port: 80, targetPort: 'http' },
          { name: 'b', port: 81, targetPort: 'alt' },
          { name: 'c', port: 82, targetPort: 9 },
        ],
      }),
      service('empty', { selector: { app: 'none' }, ports: [{ port: 80 }] }),
    );
    await t.until('get pods', /client +1\/1[\s\S]*web +2\/2/);
    const ip = await readAddress(t, 'web');
    await ask(t, ip, /http/);
    await ask(t, `${ip}:81`, /other/);
    // The pocket cluster's proxy accepts before it connects, so its clients see a reset.
    await ask(t, `${ip}:82`, /REFUSED|RESET/, (seen) => seen.replace('RESET', 'REFUSED'));
    await ask(t, await readAddress(t, 'empty'), /REFUSED/);
    await t.see(
      `patch service web --type=json -p '[{"op":"replace","path":"/spec/ports/0/targetPort","value":8081}]'`,
    );
    await ask(t, ip, /other/);
    await t.see(
      `patch service web --type=json -p '[{"op":"replace","path":"/spec/ports/0/targetPort","value":"http"}]'`,
    );
    await ask(t, ip, /http/);
    await t.see(`patch service web -p '{"spec":{"ports":[{"port":80,"targetPort":"nowhere"}]}}'`);
    await ask(t, ip, /REFUSED/);
    await t.see('get endpoints web', {
      fields: ['subsets.ports', 'subsets.addresses.targetRef.name'],
      until: /^(?!.*"a")/s,
    });
    await t.see(`patch service web -p '{"spec":{"selector":{"app":"other"}}}'`);
    await ask(t, `${ip}:81`, /REFUSED/);
    await t.see('get endpoints web', { fields: ['subsets'], until: /subsets: (none|\[\])/ });
    await t.see(
      `exec client -- node -e 'fetch("http://localhost:8080").then(console.log, (e) => console.log(e.cause.code))'`,
    );
    await t.see(
      `exec web -c side -- node -e 'fetch("http://localhost:8080").then((r) => r.text()).then(console.log)'`,
    );
    await t.see('delete service web');
    await t.see('get endpoints web', { until: /NotFound/ });
  }),

  scenario('endpoints and EndpointSlices', async (t) => {
    await t.make(
      workload('Deployment', 'web', [web('a')], { replicas: 2 }),
      service('web', {
        ports: [
          { name: 'x', port: 80, targetPort: 'http' },
          { name: 'y', port: 81, targetPort: 8081 },
        ],
      }),
      { ...service('named'), metadata: { name: 'named', labels: { a: 'b' } } },
    );
    await t.make(pod('one', [web('one', { port: 8001 })]), pod('two', [web('two', { port: 8002 })]));
    await t.run(['label', 'pod', 'one', 'two', 'app=named', '--overwrite']);
    await t.until('get endpoints web', /:8080.*:8080/);
    await t.see('get endpoints web', {
      fields: [
        'subsets.ports',
        'subsets.addresses.targetRef.kind',
        'subsets.addresses.nodeName',
        'subsets.notReadyAddresses',
        'metadata.labels',
      ],
    });
    // Compares the ready condition, ports and labels, but not what v1 has beyond v1beta1.
    await t.see('get endpointslices -l kubernetes.io/service-name=web', {
      // Their order is random.
      loosely: (seen) => seen.replace('[[8081,8080]]', '[[8080,8081]]'),
      fields: SLICE.filter((field) => !/name$|labels/.test(field)),
    });
    // One subset for each number of the named port: the second pod has another one.
    await t.see('get endpoints named', {
      fields: ['metadata.labels'],
    });
    // The order of subsets is random.
    await t.see('get endpoints named', {
      until: /BOTH/,
      loosely: (seen) => seen.replace(/IP:800\d,IP:800\d/, 'BOTH'),
    });
    await t.see('scale deployment web --replicas=0');
    await t.see('get endpoints web', { until: /<none>/ });
    // A Service without a selector gets no endpoints.
    await t.make(
      service('bare', { selector: undefined }),
      object(
        'v1',
        'Endpoints',
        'bare',
        {},
        { subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ port: 1 }] }] },
      ),
    );
    await t.see('get endpoints bare');
  }),

  scenario('headless, ExternalName and NodePort Services', async (t) => {
    await t.make(workload('StatefulSet', 'head', [web('a')]), service('head', { clusterIP: 'None' }));
    await t.make(
      service('away', {
        type: 'ExternalName',
        externalName: 'example.com',
        selector: undefined,
        ports: undefined,
      }),
    );
    await t.see('get service away head');
    await t.see('get service head', {
      fields: ['spec.clusterIP', 'spec.clusterIPs', 'spec.ports', 'spec.type'],
    });
    await t.see('get service away', {
      fields: ['spec.externalName', 'spec.clusterIP', 'spec.ports', 'spec.type', 'spec.selector'],
    });
    await t.see('get endpoints head', {
      fields: [
        'subsets.addresses.targetRef.name',
        'subsets.addresses.hostname',
        'subsets.ports',
        'metadata.labels',
      ],
      until: /head-0/,
    });
    await t.see('get endpoints away');
    await t.see('create -f -', {
      input: service('x', { clusterIP: '10.0.0.300' }),
      loosely: (seen) => seen.replace(/must be[\s\S]*/, 'must be …'),
    });
    await t.see('create -f -', {
      input: service('y', { type: 'ExternalName', selector: undefined, ports: undefined }),
      loosely: (seen) => seen.replace(/spec.externalName: .*/, 'spec.externalName'),
    });
    await t.see('create -f -', { input: service('z', { ports: [] }) });
    await t.see(`patch service head -p '{"spec":{"clusterIP":"10.96.1.1"}}'`, {
      loosely: (seen) => seen.replace(/Invalid value: \S+/g, 'Invalid value'),
    });
  }),

  scenario('pods: containers share localhost, pods do not share ports', async (t) => {
    await t.make(pod('client'), pod('a', [web('from a')]), pod('b', [web('from b')]));
    await t.make(
      pod('both', [
        web('first'),
        container('', {
          name: 'second',
          command: [
            'node',
            '-e',
            'require("net").createServer().on("error", (e) => { console.log(e.code); setInterval(() => {}, 1e6) }).listen(8080); process.on("SIGTERM", () => process.exit())',
          ],
        }),
      ]),
    );
    await t.until('get pods', /a +1\/1[\s\S]*b +1\/1/);
    await t.until('get pod client', /1\/1/);
    for (const name of ['a', 'b']) {
      const ip = await t.read(`get pod ${name} -o jsonpath={.status.podIP}`);
      await ask(t, `${ip}:8080`, /from/);
      await ask(t, `${ip}:8081`, /REFUSED/);
    }
    await t.see('logs both -c second', {
      until: /in use/,
      loosely: (seen) => (seen.includes('EADDRINUSE') ? 'in use' : seen),
    });
    await t.see(`exec a -- sh -c 'getent hosts $(hostname)'`);
    await t.see('exec a -- hostname');
  }),
];
