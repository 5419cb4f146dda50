import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { IDLE, makePod, Pocket } from './pocket.ts';

let pocket: Pocket;
before(async () => {
  pocket = await Pocket.start();
});
after(async () => await pocket?.stop());

type Fields = Record<string, unknown>;

const path = (pod: string, namespace = 'default') =>
  `/api/v1/namespaces/${namespace}/pods/${pod}/ephemeralcontainers`;

function guest(name: string, fields: Fields = {}): Fields {
  return { name, image: 'node:20', command: IDLE, ...fields };
}

/** A pod whose container runs. */
async function running(name: string, spec: Fields = {}): Promise<void> {
  await pocket.make(makePod(name, spec));
  await pocket.see('pod', name, 'is ready', isReady);
}

function isReady({ status }: { status: { conditions?: Fields[] } }): boolean {
  return status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

/** Replaces a pod's ephemeral containers by the subresource, with kubectl alone. */
async function put(name: string, containers: Fields[], query = '', more: Fields = {}) {
  const pod = await pocket.get('pod', name);
  const spec = { ...pod.spec, ephemeralContainers: containers };
  return await pocket.try(['replace', '--raw', path(name) + query, '-f', '-'], { ...pod, ...more, spec });
}

async function add(name: string, ...containers: Fields[]): Promise<void> {
  const { spec } = await pocket.get('pod', name);
  const { code, stderr } = await put(name, [...(spec.ephemeralContainers ?? []), ...containers]);
  assert.equal(code, 0, stderr);
}

/** Waits until an ephemeral container has a state. */
async function state(pod: string, name: string, word: 'running' | 'terminated' | 'waiting') {
  const of = ({ status }: { status: { ephemeralContainerStatuses?: Fields[] } }) =>
    status.ephemeralContainerStatuses?.find((one) => one.name === name) as { state: Fields } | undefined;
  const seen = await pocket.see('pod', pod, `${name} is ${word}`, (pod) => of(pod)?.state[word]);
  return of(seen)?.state[word] as Fields;
}

describe('an ephemeral container', () => {
  it('is added to a running pod without restarting containers, and does not count for readiness', async () => {
    await running('added');
    const before = await pocket.get('pod', 'added');
    await add('added', guest('tap'));
    await state('added', 'tap', 'running');
    const after = await pocket.get('pod', 'added');
    assert.deepEqual(after.status.containerStatuses, before.status.containerStatuses);
    assert.deepEqual(after.status.conditions, before.status.conditions);
    assert.equal(after.spec.ephemeralContainers[0].terminationMessagePath, '/dev/termination-log');
    const [status] = after.status.ephemeralContainerStatuses;
    assert.deepEqual([status.ready, status.restartCount, status.started], [false, 0, undefined]);
    assert.match(await pocket.run(['get', 'pod', 'added', '--no-headers']), /^added +1\/1 +Running/);
    assert.match(await pocket.run(['describe', 'pod', 'added']), /Ephemeral Containers:\n +tap:/);
  });

  it("cannot be changed or removed, and is refused with Kubernetes' message", async () => {
    await running('judged');
    await add('judged', guest('tap'));
    // A change of its status in between would be a conflict.
    await state('judged', 'tap', 'running');
    const refusals: [Fields[], RegExp][] = [
      [[], /existing ephemeral containers "tap" may not be removed/],
      [[guest('tap', { image: 'node:22' })], /existing ephemeral containers "tap" may not be changed/],
      [[guest('tap'), guest('app')], /spec\.ephemeralContainers\[1\]\.name: Duplicate value: "app"/],
      [[guest('tap'), guest('x'), guest('x')], /ephemeralContainers\[2\]\.name: Duplicate value: "x"/],
      [
        [guest('tap'), guest('x', { targetContainerName: 'tap' })],
        /ephemeralContainers\[1\]\.targetContainerName: Not found: "tap"/,
      ],
      [
        [guest('tap'), guest('x', { volumeMounts: [{ name: 'nope', mountPath: '/x' }] })],
        /ephemeralContainers\[1\]\.volumeMounts\[0\]\.name: Not found: "nope"/,
      ],
    ];
    for (const [containers, words] of refusals) {
      const { code, stderr } = await put('judged', containers);
      assert.equal(code, 1);
      assert.match(stderr, words);
    }
    const handler = { tcpSocket: { port: 80 } };
    const fields = {
      ports: [{ containerPort: 80 }],
      resources: { limits: { cpu: '1' } },
      livenessProbe: handler,
      readinessProbe: handler,
      startupProbe: handler,
      lifecycle: { preStop: { sleep: { seconds: 1 } } },
    };
    for (const [field, value] of Object.entries(fields)) {
      const { stderr } = await put('judged', [guest('tap'), guest('x', { [field]: value })]);
      const words = `spec.ephemeralContainers[1].${field}: Forbidden: cannot be set for an Ephemeral Container`;
      assert.ok(stderr.includes(words), stderr);
    }
    const names = (await pocket.get('pod', 'judged')).spec.ephemeralContainers.map(
      ({ name }: Fields) => name,
    );
    assert.deepEqual(names, ['tap']);
  });

  it('is only validated in a dry run, and is refused when the pod has changed meanwhile', async () => {
    await running('stale');
    const dry = await put('stale', [guest('tap')], '?dryRun=All');
    assert.equal(JSON.parse(dry.stdout).spec.ephemeralContainers[0].name, 'tap');
    assert.equal((await pocket.get('pod', 'stale')).spec.ephemeralContainers, undefined);
    const { metadata } = await pocket.get('pod', 'stale');
    await pocket.run(['label', 'pod', 'stale', 'a=b']);
    const late = await put('stale', [guest('tap')], '', { metadata });
    assert.match(late.stderr, /\(Conflict\).*the object has been modified/);
  });

  it('is added by any kind of patch of the subresource, which changes nothing else', async () => {
    await running('patched');
    const patch = (type: string, what: unknown) =>
      pocket.run([
        ...['patch', 'pod', 'patched', '--subresource=ephemeralcontainers'],
        ...[`--type=${type}`, '-p', JSON.stringify(what)],
      ]);
    await patch('strategic', {
      spec: { ephemeralContainers: [guest('one')] },
      metadata: { labels: { a: 'b' } },
    });
    await patch('strategic', { spec: { ephemeralContainers: [guest('two')] } });
    await patch('json', [{ op: 'add', path: '/spec/ephemeralContainers/-', value: guest('three') }]);
    const { spec, metadata } = await pocket.get('pod', 'patched');
    assert.deepEqual(spec.ephemeralContainers.map(({ name }: Fields) => name).sort(), [
      'one',
      'three',
      'two',
    ]);
    assert.equal(metadata.labels, undefined);
    await patch('merge', { spec: { ephemeralContainers: [...spec.ephemeralContainers, guest('four')] } });
    await state('patched', 'four', 'running');
  });

  it('cannot be part of a new pod or of a template', async () => {
    const refused = await pocket.refuses(
      ['create', '-f', '-'],
      makePod('early', { ephemeralContainers: [guest('tap')] }),
    );
    assert.match(refused, /spec\.ephemeralContainers: Forbidden: cannot be set on create/);
    await running('late');
    const { spec, ...pod } = await pocket.get('pod', 'late');
    const update = { ...pod, spec: { ...spec, ephemeralContainers: [guest('tap')] } };
    assert.match(
      await pocket.refuses(['replace', '-f', '-'], update),
      /Forbidden: pod updates may not change/,
    );
    const template = {
      metadata: { labels: { a: 'b' } },
      spec: { ...spec, ephemeralContainers: [guest('tap')] },
    };
    const metadata = { name: 'web' };
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata };
    const selector = { matchLabels: { a: 'b' } };
    assert.match(
      await pocket.refuses(['create', '-f', '-'], { ...deployment, spec: { selector, template } }),
      /ephemeral containers not allowed in pod template/,
    );
  });

  it('needs permission to write the subresource', async () => {
    await running('guarded');
    const can = async () =>
      (await pocket.try([...'auth can-i patch pods --subresource=ephemeralcontainers --as=ann'.split(' ')]))
        .stdout;
    assert.equal(await can(), 'no\n');
    const write = ['replace', '--as=ann', '--raw', path('guarded'), '-f', '-'];
    const pod = await pocket.get('pod', 'guarded');
    pod.spec.ephemeralContainers = [guest('tap')];
    assert.match(
      await pocket.refuses(write, pod),
      /User "ann" cannot update resource "pods\/ephemeralcontainers" in API group ""/,
    );
    await pocket.run('create role tapper --verb=update,patch --resource=pods/ephemeralcontainers'.split(' '));
    await pocket.run('create rolebinding tapper --role=tapper --user=ann'.split(' '));
    assert.equal(await can(), 'yes\n');
    await pocket.run(write, pod);
  });

  it("is checked against the namespace's Pod Security Standard", async () => {
    const strict = {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    };
    await pocket.run(['create', 'namespace', 'strict']);
    await pocket.run(['label', 'namespace', 'strict', 'pod-security.kubernetes.io/enforce=restricted']);
    await pocket.until('it has its ServiceAccount', async () => {
      return (await pocket.try(['get', 'sa', 'default', '-n', 'strict'])).code === 0;
    });
    const containers = [guest('app', { securityContext: strict })];
    const pod = makePod('web', { containers }, { namespace: 'strict' }) as { spec: Fields };
    await pocket.make(pod);
    const write = (tap: Fields, how: 'run' | 'refuses') => {
      const update = { ...pod, spec: { ...pod.spec, ephemeralContainers: [tap] } };
      return pocket[how](['replace', '--raw', path('web', 'strict'), '-f', '-'], update);
    };
    assert.match(
      await write(guest('tap'), 'refuses'),
      /pods "web" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false \(container "tap" must set/,
    );
    await write(guest('tap', { securityContext: strict }), 'run');
  });

  it("shares the pod's network, volumes and fields", async () => {
    const volumes = [{ name: 'shared', emptyDir: {} }];
    const volumeMounts = [{ name: 'shared', mountPath: '/shared' }];
    const script =
      "http.createServer((_, answer) => answer.end('hello')).listen(8080); fs.writeFileSync('/shared/x', 'seen')";
    const app = { name: 'app', image: 'node:20', args: ['-e', script], command: ['node'], volumeMounts };
    await running('sees', { volumes, containers: [app] });
    const env = ['status.podIP', 'metadata.name', 'spec.nodeName'].map((fieldPath, index) => ({
      name: `FIELD${index}`,
      valueFrom: { fieldRef: { fieldPath } },
    }));
    const look =
      "fetch('http://localhost:8080').then(async (a) => console.log(await a.text(), fs.readFileSync('/shared/x', 'utf8'), process.env.FIELD0, process.env.FIELD1, process.env.FIELD2))";
    await add('sees', guest('tap', { command: ['node', '-e', look], volumeMounts, env }));
    await state('sees', 'tap', 'terminated');
    const { podIP } = (await pocket.get('pod', 'sees')).status;
    assert.equal(await pocket.run(['logs', 'sees', '-c', 'tap']), `hello seen ${podIP} sees pocket\n`);
  });

  it('sees the processes of its target container, and without a target only its own', async () => {
    await running('watched');
    const list = "console.log(fs.readFileSync('/proc/1/cmdline', 'utf8').split('\\0')[0])";
    const command = ['node', '-e', list];
    await add('watched', guest('in', { command, targetContainerName: 'app' }), guest('beside', { command }));
    for (const [name, seen] of [
      ['in', 'sh\n'],
      ['beside', 'node\n'],
    ] as const) {
      await state('watched', name, 'terminated');
      assert.equal(await pocket.run(['logs', 'watched', '-c', name]), seen);
    }
  });

  it("runs as its own user in its target's pid namespace, and ends with its target", async () => {
    await running('shared');
    const user = { securityContext: { runAsUser: 1000 }, targetContainerName: 'app' };
    await add('shared', guest('tap', user));
    await state('shared', 'tap', 'running');
    const script = 'id -u; cat /proc/1/comm';
    assert.equal(await pocket.run(['exec', 'shared', '-c', 'tap', '--', 'sh', '-c', script]), '1000\nsh\n');
    await pocket.run(['exec', 'shared', '-c', 'app', '--', 'kill', '1']);
    assert.equal((await state('shared', 'tap', 'terminated')).exitCode, 137);
    await pocket.see('pod', 'shared', 'its container is back', ({ status }) => {
      return status.containerStatuses[0].restartCount === 1 && isReady({ status });
    });
  });

  it('supports exec, logs and attach', async () => {
    await running('talks');
    await add(
      'talks',
      guest('tap', {
        command: ['bash', '--norc'],
        stdin: true,
        tty: true,
        env: [{ name: 'PS1', value: '> ' }],
      }),
    );
    await state('talks', 'tap', 'running');
    assert.equal(await pocket.run(['exec', 'talks', '-c', 'tap', '--', 'echo', 'hi']), 'hi\n');
    const env = { ...process.env, KUBECONFIG: pocket.kubeconfig };
    const line = `kubectl attach -it talks -c tap`;
    const terminal = spawn('script', ['-qefc', line, '/dev/null'], { env });
    let seen = '';
    terminal.stdout.on('data', (data) => {
      seen += data;
    });
    terminal.stdin.write('echo $((6 * 7)); exit 4\r');
    const ended = await state('talks', 'tap', 'terminated');
    assert.equal(ended.exitCode, 4);
    await pocket.until('attach has shown it', async () => /\b42\s/.test(seen));
    terminal.kill();
    assert.match(await pocket.run(['logs', 'talks', '-c', 'tap']), /\b42\r\n/);
    assert.match(
      await pocket.refuses(['exec', 'talks', '-c', 'tap', '--', 'true']),
      /container not found \("tap"\)/,
    );
  });

  it('is not restarted, and stays in spec and status after its end', async () => {
    await running('ends');
    await add('ends', guest('tap', { command: ['sh', '-c', 'echo once; exit 3'] }));
    const { exitCode, reason } = await state('ends', 'tap', 'terminated');
    assert.deepEqual([exitCode, reason], [3, 'Error']);
    await add('ends', guest('next'));
    await state('ends', 'next', 'running');
    const { status } = await pocket.get('pod', 'ends');
    const [tap] = status.ephemeralContainerStatuses;
    assert.deepEqual([tap.name, tap.restartCount, tap.state.terminated.exitCode], ['tap', 0, 3]);
    assert.equal(status.phase, 'Running');
    assert.ok(isReady({ status }));
    const { stderr } = await put('ends', [guest('tap', { command: ['true'] }), guest('next')]);
    assert.match(stderr, /"tap" may not be changed/);
  });

  it("reports why it cannot start, and does not delay the pod's end", async () => {
    await running('lacks');
    await add('lacks', guest('tap', { image: 'none:1' }), guest('next', { command: ['none'] }));
    await pocket.see('pod', 'lacks', 'tap waits', ({ status }) =>
      /ErrImagePull|ImagePullBackOff/.test(status.ephemeralContainerStatuses?.[0].state.waiting?.reason),
    );
    const { reason, message } = await state('lacks', 'next', 'terminated');
    assert.equal(reason, 'StartError');
    assert.match(String(message), /exec: "none": executable file not found in \$PATH/);
    assert.ok(isReady(await pocket.get('pod', 'lacks')));
    await pocket.run(['delete', 'pod', 'lacks', '--timeout=10s']);
  });

  it('runs while init containers still run', async () => {
    await pocket.make(makePod('begins', { initContainers: [guest('first')] }));
    await pocket.see(
      'pod',
      'begins',
      'is initialized',
      ({ status }) => status.initContainerStatuses?.[0].state.running,
    );
    await add('begins', guest('tap'));
    await state('begins', 'tap', 'running');
    const { status } = await pocket.get('pod', 'begins');
    assert.equal(status.phase, 'Pending');
    assert.equal(status.containerStatuses[0].state.waiting.reason, 'PodInitializing');
  });

  it('gets SIGTERM with the other containers when the pod is deleted', async () => {
    const script = 'trap "sleep 0.5; echo bye; exit 0" TERM; echo up; while :; do sleep 0.1; done';
    await running('goes');
    await add('goes', guest('tap', { command: ['sh', '-c', script] }));
    await state('goes', 'tap', 'running');
    const logs = pocket.follow(['logs', '-f', 'goes', '-c', 'tap']);
    await pocket.until('its log is followed', async () => logs.said() === 'up\n');
    const start = Date.now();
    await pocket.run(['delete', 'pod', 'goes']);
    assert.ok(Date.now() - start < 10_000, 'not by SIGKILL at the end of its grace period');
    await logs.ended;
    assert.equal(logs.said(), 'up\nbye\n');
  });

  it("ends when the pod's containers have ended", async () => {
    const once = {
      name: 'app',
      image: 'node:20',
      command: ['sh', '-c', 'until [ -e /shared/go ]; do sleep 0.1; done'],
    };
    const mount = { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] };
    const volumes = [{ name: 'shared', emptyDir: {} }];
    await running('over', { restartPolicy: 'Never', volumes, containers: [{ ...once, ...mount }] });
    await add('over', guest('tap'));
    await state('over', 'tap', 'running');
    await pocket.run(['exec', 'over', '--', 'touch', '/shared/go']);
    await pocket.see('pod', 'over', 'has ended', ({ status }) => status.phase === 'Succeeded');
    await state('over', 'tap', 'terminated');
  });

  it('is added by kubectl debug', async () => {
    await running('debugged');
    const words = [
      'debug',
      'debugged',
      '--image=node:20',
      '-c',
      'tap',
      '--target=app',
      '--',
      'sh',
      '-c',
      'echo hi',
    ];
    await pocket.run(words);
    await state('debugged', 'tap', 'terminated');
    assert.equal(await pocket.run(['logs', 'debugged', '-c', 'tap']), 'hi\n');
  });
});
