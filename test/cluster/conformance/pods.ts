import { configMap, container, object, pod, service, web } from './manifests.ts';
import { type Scenario, scenario } from './scenario.ts';

const STATE = [
  'phase',
  'containerStatuses.state',
  'containerStatuses.ready',
  'containerStatuses.started',
  'containerStatuses.restartCount',
  'conditions',
].map((field) => `status.${field}`);

/** Since 1.22 a failed pod's reason for not being ready is PodFailed. */
function laterFailure(seen: string): string {
  return seen.replace(/Ready=False .*/g, 'Ready=False');
}

/** Scenarios: pods' states, probes, environment, volumes. */
export const pods: Scenario[] = [
  scenario('a container that ends, and one that cannot start', async (t) => {
    const never = { restartPolicy: 'Never' };
    await t.make(
      pod('good', [container('echo hello')], never),
      pod('bad', [container('exit 3')], never),
      pod('killed', [container('kill -9 $$; sleep 9')], { restartPolicy: 'OnFailure' }),
      pod('missing', [container('', { command: ['/no/such/program'] })], never),
      pod('onfailure', [container('exit 0')], { restartPolicy: 'OnFailure' }),
      pod('two', [container('exit 0'), container('exit 1', { name: 'side' })], never),
      pod('nodir', [container('pwd', { workingDir: '/tmp' })], never),
    );
    await t.see('get pod good', { fields: STATE, until: /Succeeded/ });
    await t.see('get pod bad', { fields: STATE, until: /Failed/, loosely: laterFailure });
    await t.see('get pod two', { fields: STATE, until: /Failed/, loosely: laterFailure });
    await t.see('get pod onfailure', { fields: STATE, until: /Succeeded/ });
    // The message is runc's; only the reason and the exit code are compared.
    await t.see('get pod missing', {
      fields: [
        'status.phase',
        'status.containerStatuses.state.terminated.reason',
        'status.containerStatuses.state.terminated.exitCode',
      ],
      until: /exitCode: \[\d/,
    });
    await t.see('get pods', { sorted: true, lines: /^(good|bad|two|onfailure)/ });
    await t.see('logs good');
    await t.see('logs nodir', { until: /tmp/ });
    await t.see('get pods --field-selector status.phase=Failed -o name', { lines: /bad|two/ });
    await t.see('get pods --field-selector status.phase!=Succeeded -o name', { lines: /good|bad|two/ });
    await t.see('exec good -- true');
    await t.see('attach good');
    await t.see('delete pod good bad two');
  }),

  scenario('crash loop', async (t) => {
    await t.make(pod('crash', [container('echo run; sleep 0.3; exit 7')]), service('crash'));
    const last = [
      'status.containerStatuses.state.waiting.reason',
      'status.containerStatuses.lastState.terminated.reason',
      'status.containerStatuses.lastState.terminated.exitCode',
      'status.phase',
      'status.conditions',
    ];
    await t.see('get pod crash', {
      fields: ['status.containerStatuses.state', ...last],
      until: /CrashLoopBackOff/,
    });
    await t.see('get pod crash', {
      until: /CrashLoopBackOff/,
      // Since 1.22 the time of the last restart is printed. The number of restarts depends on timing.
      loosely: (seen) => seen.replace(' (AGE ago)', '').replace(/(BackOff +)\d+/, '$1N'),
    });
    await t.see('logs crash -p', { until: /run/ });
    await t.see('logs crash', { until: /run/ });
    await t.see('exec crash -- true', { loosely: (seen) => seen.split('\n')[0] ?? '' });
    await t.see(
      'get events --field-selector involvedObject.name=crash,reason=BackOff -o custom-columns=TYPE:.type,MESSAGE:.message --no-headers',
      {
        until: /restarting/,
        // Since 1.22 the message names the container and the pod.
        loosely: (seen) => seen.replace(/container .*/, 'container'),
      },
    );
    await t.see('get pod crash', { fields: ['status.containerStatuses.restartCount'], until: /\[2\]/ });
  }),

  scenario('an image that cannot be pulled', async (t) => {
    await t.make(
      pod('absent', [container('', { image: 'localhost:1/none:1' })]),
      pod('never', [container('', { image: 'localhost:1/none:1', imagePullPolicy: 'Never' })]),
      pod('odd', [container('', { image: 'UPPER case' })]),
    );
    const state = [
      'status.phase',
      'status.containerStatuses.state.waiting.reason',
      'status.containerStatuses.image',
      'status.containerStatuses.imageID',
      'status.conditions',
    ];
    await t.see('get pod absent', { fields: state, until: /ImagePullBackOff/ });
    await t.see('get pod absent', {
      fields: ['status.containerStatuses.state.waiting.message'],
      until: /Back-off/,
      loosely: (seen) => seen.replace(/(localhost:1\/none:1\\"):.*(?=")/, '$1'),
    });
    await t.see('get pod absent', { until: /ImagePullBackOff/ });
    await t.see('get pod never', {
      fields: ['status.containerStatuses.state', ...state],
      until: /NeverPull/,
    });
    await t.see('get pod odd', { fields: state, until: /InvalidImageName/ });
    await t.see(
      'get events --field-selector involvedObject.name=absent,type=Warning -o custom-columns=REASON:.reason --no-headers',
      { until: /Failed/, loosely: (seen) => [...new Set(seen.split('\n'))].sort().join('\n') },
    );
    await t.see('logs absent', {
      loosely: (seen) => seen.replace(/is waiting to start: .*/, 'is waiting to start: …'),
    });
    await t.see('exec absent -- true', { loosely: (seen) => seen.split('\n')[0] ?? '' });
  }),

  scenario('init containers', async (t) => {
    const emptyDir = [{ name: 'v', emptyDir: {} }];
    const volumeMounts = [{ name: 'v', mountPath: '/v' }];
    const init = (name: string, script: string) => container(script, { name, volumeMounts });
    await t.make(
      pod('order', [container('cat /v/log; sleep 1d', { volumeMounts })], {
        initContainers: [init('a', 'echo a >> /v/log'), init('b', 'echo b >> /v/log')],
        volumes: emptyDir,
      }),
      pod('fails', [container()], {
        initContainers: [init('a', 'exit 4')],
        volumes: emptyDir,
        restartPolicy: 'Never',
      }),
      pod('loops', [container()], { initContainers: [init('a', 'exit 4')], volumes: emptyDir }),
      pod('waits', [container()], { initContainers: [init('a', 'sleep 1d')], volumes: emptyDir }),
    );
    await t.see('logs order', { until: /^b$/m });
    await t.until('get pod order', /1\/1/);
    await t.see('get pod order', {
      fields: [
        ...STATE,
        'status.initContainerStatuses.state.terminated.reason',
        'status.initContainerStatuses.ready',
        'status.initContainerStatuses.name',
      ].filter((field) => !/Statuses.state$/.test(field)),
    });
    await t.see('get pod fails', {
      fields: [
        'status.phase',
        'status.containerStatuses.state',
        'status.initContainerStatuses.state.terminated.exitCode',
        'status.conditions',
      ],
      loosely: laterFailure,
      until: /Failed/,
    });
    await t.see('get pod fails');
    await t.see('get pod loops', {
      until: /CrashLoop/,
      loosely: (seen) => seen.replace(/ \d+( \(.*\))? {2}AGE/, ' N  AGE'),
    });
    await t.see('get pod waits', { until: /Init:0/ });
    await t.see('get pod waits', {
      fields: ['status.phase', 'status.containerStatuses.state', 'status.conditions'],
    });
    await t.see('logs waits');
    await t.see('logs waits -c a', { until: /exit 0/ });
  }),

  scenario('environment', async (t) => {
    const field = (fieldPath: string) => ({ valueFrom: { fieldRef: { fieldPath } } });
    const env = [
      { name: 'NAME', ...field('metadata.name') },
      { name: 'SPACE', ...field('metadata.namespace') },
      { name: 'LABEL', ...field("metadata.labels['app']") },
      { name: 'POD_UID', ...field('metadata.uid') },
      { name: 'NODE', ...field('spec.nodeName') },
      { name: 'POD_IP', ...field('status.podIP') },
      { name: 'ACCOUNT', ...field('spec.serviceAccountName') },
      { name: 'KEY', value: 'own' },
      { name: 'SUM', value: '$(NAME)-$(KEY)-$(NONE)-$$(NAME)-$$-$' },
    ];
    await t.make(service('front', { clusterIP: undefined }));
    const command = ['sh', '-c', 'env | sort; echo "$0 $1"; sleep 1d', '$(SUM)', '$$(KEY)'];
    await t.make(pod('p', [container('', { command, env })], { enableServiceLinks: false }));
    await t.make(
      pod(
        'args',
        [
          container('', {
            command: ['echo', '$(A)'],
            args: ['$(A)', '$$(A)', '$(B)'],
            env: [{ name: 'A', value: 'a' }],
          }),
        ],
        { restartPolicy: 'Never' },
      ),
    );
    await t.see('logs p', {
      until: /KEY/,
      lines: /^(?!KUBERNETES|LANG|PWD|SHLVL|_=|OLDPWD|NODE_VERSION|YARN|PATH|HOME|TERM)/,
    });
    await t.see('logs args', { until: /a a/ });
    await t.see(
      `exec p -- sh -c 'echo $POD_IP; echo $HOME; echo $HOSTNAME; hostname; echo $KUBERNETES_SERVICE_PORT'`,
    );
  }),

  scenario('volumes', async (t) => {
    await t.make(
      configMap('c', { 'a.txt': 'A', 'b.txt': 'B' }),
      object('v1', 'Secret', 's', {}, { stringData: { k: 'secret' } }),
    );
    const volumes = [
      { name: 'c', configMap: { name: 'c' } },
      { name: 'some', configMap: { name: 'c', items: [{ key: 'a.txt', path: 'dir/x' }] } },
      { name: 's', secret: { secretName: 's', defaultMode: 0o400 } },
      { name: 'e', emptyDir: {} },
      { name: 'maybe', configMap: { name: 'none', optional: true } },
    ];
    const mounts = [
      { name: 'c', mountPath: '/c' },
      { name: 'some', mountPath: '/some' },
      { name: 's', mountPath: '/s' },
      { name: 'e', mountPath: '/e' },
      { name: 'maybe', mountPath: '/maybe' },
    ];
    const wait = 'trap "exit 0" TERM; sleep 1d & wait';
    await t.make(
      pod(
        'p',
        [
          container(wait, { volumeMounts: mounts }),
          container(wait, {
            name: 'side',
            volumeMounts: [{ name: 'e', mountPath: '/shared', readOnly: true }],
          }),
        ],
        { volumes },
      ),
    );
    await t.until('get pod p', /2\/2/);
    await t.see(
      `exec p -c app -- sh -c 'ls /c /maybe; cat /c/a.txt /some/dir/x /s/k; stat -L -c %a /s/k /c/a.txt'`,
    );
    await t.see(`exec p -c app -- sh -c 'echo shared > /e/f; echo private > /tmp/f'`);
    await t.see('exec p -c side -- cat /shared/f');
    await t.see('exec p -c side -- cat /tmp/f');
    await t.see(`exec p -c side -- sh -c 'echo no > /shared/f'`);
    await t.see(`exec p -c app -- sh -c 'echo no > /c/a.txt'`);
    await t.make(
      pod('lacks', [container(wait, { volumeMounts: [{ name: 'v', mountPath: '/v' }] })], {
        volumes: [{ name: 'v', configMap: { name: 'absent' } }],
      }),
    );
    await t.see('get pod lacks', { until: /ContainerCreating/ });
    await t.see(
      'get events --field-selector involvedObject.name=lacks,reason=FailedMount -o custom-columns=TYPE:.type,MESSAGE:.message --no-headers',
      { until: /not found/, loosely: (seen) => seen.split('\n').slice(0, 2).join('\n') },
    );
    await t.run(['create', 'configmap', 'absent', '--from-literal=k=v']);
    await t.see('get pod lacks', { until: /Running/ });
  }),

  scenario('readiness follows its probe, endpoints follow readiness', async (t) => {
    const probe = { periodSeconds: 1, failureThreshold: 1 };
    const server = (more: object) => web('a', { readinessProbe: { ...probe, ...more } });
    await t.make(
      pod('run', [server({ exec: { command: ['test', '-e', '/tmp/ready'] } })]),
      pod('http', [server({ httpGet: { path: '/', port: 'http' } })]),
      pod('tcp', [server({ tcpSocket: { port: 'http' } })]),
      pod('wrong', [server({ tcpSocket: { port: 9 } })]),
      service('run'),
      service('http'),
      service('wrong', { publishNotReadyAddresses: true }),
    );
    await t.see('get pod http', { until: /1\/1/ });
    await t.see('get pod tcp', { until: /1\/1/ });
    await t.until('get pod run', /Running/);
    await t.see('get pod run', { fields: STATE.filter((field) => !field.endsWith('state')) });
    await t.see('get endpoints run', {
      fields: [
        'subsets.addresses.targetRef.name',
        'subsets.notReadyAddresses.targetRef.name',
        'subsets.ports',
      ],
      until: /"run"/,
    });
    await t.see('get endpoints wrong', { fields: ['subsets.addresses.targetRef.name'], until: /"wrong"/ });
    await t.see('exec run -- touch /tmp/ready');
    await t.see('wait pod/run --for=condition=Ready --timeout=20s');
    await t.see('get endpoints run', {
      fields: [
        'subsets.addresses.targetRef.name',
        'subsets.addresses.targetRef.kind',
        'subsets.addresses.nodeName',
        'subsets.notReadyAddresses',
      ],
      until: /addresses.targetRef.name: \[\["run"/,
    });
    await t.see('exec run -- rm /tmp/ready');
    await t.see('wait pod/run --for=condition=Ready=false --timeout=20s');
    await t.see('get endpoints run', {
      fields: ['subsets.addresses', 'subsets.notReadyAddresses.targetRef.name'],
      until: /notReady.*run/,
    });
    await t.see(
      'get events --field-selector involvedObject.name=run,reason=Unhealthy -o custom-columns=TYPE:.type,MESSAGE:.message --no-headers',
      { until: /Readiness/, loosely: (seen) => seen.trim() },
    );
    await t.see(
      'get events --field-selector involvedObject.name=wrong,reason=Unhealthy -o custom-columns=TYPE:.type,MESSAGE:.message --no-headers',
      { until: /Readiness/ },
    );
  }),
];
